"""Shared templates: texts that several departments use, their local edits, and findings counted by text."""

from __future__ import annotations

import streamlit as st

from classifier.evidence import rows_of
from classifier.templates import Templates, counts, edits, templates
from classifier.ui.comparisons import NAMES, Seen, asked, download_table, seen, show_quote
from classifier.ui.session import errors_as_words

AT_ONCE = 10  # members with their edits on the screen


def page() -> None:
    """The page of shared templates."""
    looking = seen("Shared templates")
    if looking is None:
        return
    with errors_as_words():
        found = looking.kept("templates", lambda: templates(looking.evidence))
        texts, policies, findings = st.tabs(["Clauses", "Whole policies", "Findings by text"])
        with texts:
            show_templates(looking, found)
        with policies:
            show_policies(looking, found)
        with findings:
            show_counts(looking, found)


@st.fragment
def show_templates(looking: Seen, found: Templates) -> None:
    """The texts, and the members of the one that was chosen."""
    with errors_as_words():
        table = found.templates
        if table.empty:
            st.info(
                "No clause of one department is a near-copy of a clause of another one. "
                "Score policies of more departments on the Score page."
            )
            return
        if department := asked("department", looking.evidence.departments["department"]):
            own = found.members.loc[found.members["department"] == department, "template"]
            table = table[table["template"].isin(own)].reset_index(drop=True)
            st.text(f"Texts that {department} shares with others")
        st.caption(f"{len(table)} texts that at least two departments use · choose one for its members and their edits")
        download_table("Members (CSV)", found.members, "templates")
        columns = "departments clauses documents wordings text".split()
        chosen = st.dataframe(
            table[columns], hide_index=True, key="templates", on_select="rerun", selection_mode="single-row",
            height=min(38 + 35 * len(table), 320), column_config={"text": st.column_config.TextColumn(width="large")},
        )  # fmt: skip
        rows = [n for n in chosen["selection"]["rows"] if n < len(table)]
        template = str(table["template"].iloc[rows[0] if rows else 0]) if len(table) else ""
        if template:
            show_members(looking, found, template)


def show_members(looking: Seen, found: Templates, template: str) -> None:
    """The common text, and each member with its local edits."""
    of_it = looking.kept(f"edits {template}", lambda: edits(looking.evidence, found, template))
    common = found.templates.set_index("template").loc[template]
    st.caption(
        "The most common wording. Below: − struck out where a department leaves it out, + underlined what it adds."
    )
    with st.container(border=True):
        show_quote(looking, str(common["clause"]), f"common_{template}")
    differing = [e for e in of_it if any(p.kind != "same" for p in e.pieces)]
    alike = sorted({e.department for e in of_it} - {e.department for e in differing}, key=str.casefold)
    if alike:
        st.text(f"Word for word: {', '.join(alike)}")
    more = len(differing) > AT_ONCE and st.toggle(f"All {len(differing)} edits", key=f"all_{template}")
    for n, edit in enumerate(differing if more else differing[:AT_ONCE]):
        with st.container(border=True):
            show_quote(looking, edit.clause, f"edit_{template}_{n}", edit.department, edit.pieces)


def show_policies(looking: Seen, found: Templates) -> None:
    """Pairs of documents that share most of the shorter one."""
    table = found.policies
    if table.empty:
        st.info("No policy shares most of its clauses with another department's.")
        return
    names = {d.document: d.name for d in rows_of(looking.evidence.documents)}
    shown = table.assign(document=table["document"].map(names), other=table["other"].map(names))
    shown["share"] = (100 * shown["share"]).round()
    st.dataframe(
        shown.rename(columns=lambda c: c.replace("_", " ")), hide_index=True, key="template_policies",
        column_config={"share": st.column_config.NumberColumn(format="%.0f %%", help="Of the first one's clauses")},
    )  # fmt: skip
    download_table("Table (CSV)", table, "shared-policies")


def show_counts(looking: Seen, found: Templates) -> None:
    """Findings counted by department, and by text: copies of one text count once."""
    table = looking.kept("counts", lambda: counts(looking.evidence, found))
    st.caption("Texts: departments whose finding rests first of all on a clause of the same template count once.")
    st.dataframe(table.assign(practice=table["practice"].map(NAMES)), hide_index=True, key="template_counts")
    download_table("Table (CSV)", table, "findings-by-text")
