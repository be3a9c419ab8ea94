"""The shape of the code: imports run along the flow, every name says what it is, no module outgrows a reader."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "classifier"
# From file to finding, then what stands around it. A module imports only from those before it.
FLOW = """
    errors limits terminal plain_text codebook
    document furniture drawing layout scans language_data ocr skim repair pdf_pages text_formats word_files web_pages pages
    citations sentences list_marks headings line_breaks structure
    conditions findings scored model_folders clauses
    labelled agreement concepts relevance features predictions explanations
    pipeline folders departments finished messages worker slots input_files batch cluster exports runs page_images
    store_tables store labellings store_documents corrections queues reliability double_annotation
    people questions
    evidence_sources store_sources evidence wording matrix side_by_side templates versions_compared contradictions
    annotation_formats interchange training designs evaluation peers versions retraining
    noise proof proof_pictures proof_folder
    charts report_content report_html report_docx research_tables report_files
    sample_layouts samples
    printed cli __main__
""".split()
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p.name != "__init__.py")
LONGEST = 520


def name_of(path: Path) -> str:
    """ "cli" for classifier/cli.py, "ui" for everything in classifier/ui/."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Dotted names of what a module imports anywhere: `from classifier import layout` gives classifier.layout."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides where a name comes from"
            base = node.module or ""
            yield from (f"{base}.{alias.name}" for alias in node.names) if base == "classifier" else [base]


def own_imports(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(path) if name.startswith("classifier.")}


def by_name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def test_the_tests_see_the_code() -> None:
    assert {"cli.py", "pages.py", "findings.py"} <= {p.name for p in MODULES}
    assert "clauses" in own_imports(PACKAGE / "pipeline.py")
    assert "layout" in own_imports(PACKAGE / "pdf_pages.py")


@pytest.mark.parametrize("path", MODULES, ids=by_name)
def test_a_module_imports_only_from_those_before_it(path: Path) -> None:
    name = name_of(path)
    if name == "ui":
        return
    assert name in FLOW, f"give {name} its place in FLOW"
    later = {other for other in own_imports(path) if other not in FLOW[: FLOW.index(name)]}
    assert not later, f"{name} comes before {', '.join(sorted(later))}"


@pytest.mark.parametrize("path", MODULES, ids=by_name)
def test_only_the_ui_knows_streamlit(path: Path) -> None:
    if name_of(path) != "ui":
        assert not [name for name in imported(path) if name.split(".")[0] == "streamlit"]


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "base", "core", "models"}
    assert not drawers & {p.stem for p in MODULES}
    assert not drawers & {p.name for p in PACKAGE.iterdir() if p.is_dir()}


@pytest.mark.parametrize("path", MODULES, ids=by_name)
def test_every_module_and_its_public_names_say_what_they_are(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    public = [n for n in tree.body if isinstance(n, kinds) and not n.name.startswith("_")]
    assert [n.name for n in public if not ast.get_docstring(n)] == []


def test_the_package_has_a_map() -> None:
    assert ast.get_docstring(ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", MODULES, ids=by_name)
def test_no_module_outgrows_a_reader(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST
