"""A block's text → sentences and coordinated rules.

nupunkt proposes sentence ends; legal abbreviations, citations and lower-case sequels veto them. A sentence is cut again
where two rules with a verb each are joined ("shall notify ICE, but shall not hold the person").
"""

from __future__ import annotations

import re

import nupunkt

# Never the end of a sentence, whatever follows. A scan may put a space before the stop ("c . 90").
_TITLES = (
    "Sgt|Lt|Capt|Cpt|Cpl|Det|Ofc|Off|Ptl|Ptlm|Tpr|Insp|Supt|Asst|Dep|Comm|Cmdr|Maj|Gen|Col|Hon|Sen|Rep|Dr|Mr|Mrs|Ms|"
    "Rev|Atty|St|Mt|Ft"
)
_PARTS = (
    r"No|Nos|Secs?|[Aa]rts?|[Cc]hs?|cls?|cc?|ss?|pp?|pars?|para|[Ss]ubds?|[Ss]ubs?|subsec|subdiv|[Vv]ols?|[Aa]mend|§|vs?|"
    r"e\.g|i\.e|[Cc]f|viz|See"
)
_LAWS = (
    r"Ann|Stat|Gov|Supp|App|Cir|Const|Pen|Crim|Civ|Proc|Evid|Rptr|Reg|Fed|Pub|Pub\. ?L|Op|Exec|Mass|Cal|Ill|Tex|Fla|"
    r"Wash|Conn|Va|Ga|Ariz|Colo|Mich|Minn|Nev|Okla|Ore?|Tenn|Wis|M\.G\.L|G\.L|U[.,]\s?S[.,]\s?C|U\.S\.C\.A|C\.F\.R|"
    r"C\.M\.R|F\.[23]d|S\.\s?Ct|L\.\s?Ed|N\.E|N\.E\.[23]d|P\.C|R\.C\.W|O\.C\.G\.A"
)
CLOSED = re.compile(
    rf"(?:^|[\s(\[“\"'’/—–-])(?:{_TITLES}|{_PARTS}|{_LAWS}|Exh?|Fig|Tel|ext|approx|Attn|[Ee]ncls?|rev)\s?\.$"
)
# The end of a sentence only where a sentence plainly begins after it.
OPEN = re.compile(
    r"(?:^|[\s(\[“\"'’/])(?:(?:[A-Za-z]\.){2,}|(?P<suffix>Inc\.|Co\.|Corp\.|Jr\.|Sr\.|Esq\.|etc\.)|"
    r"Dept\.|Div\.|al\.|Ct\.|Ave\.|Blvd\.|Rd\.|seq\.|[Ii]d\.|[A-Z]\.|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|"
    r"Nov|Dec)\.)$"
)
NEAR = 240  # characters
MARK_ALONE = re.compile(
    r"\W*(?:\(?(?:[A-Z]-?(?=\d)|(?=\d))?(?:\d{1,3}[A-Za-z]{0,2}|\d{4}|[A-Za-z]|[ivxlIVXL]{2,6}|([a-z])\1)[.)]|"
    r"\d+(?:\.\d+)+\.?|(?:Step|Task|Item|STEP|TASK|ITEM)\s+\d+[.:])\s*"
)
# fmt: off
OPENERS = [
    "A", "All", "An", "And", "Any", "As", "At", "Before", "But", "By", "During", "Each", "Either", "Every",
    "Except", "For", "From", "He", "Her", "His", "However", "If", "In", "It", "Its", "Members", "Neither", "No",
    "Nor", "Nothing", "Notwithstanding", "Of", "Officers", "On", "Once", "Only", "Or", "Our", "Personnel",
    "Persons", "She", "Should", "Since", "So", "Such", "Supervisors", "That", "The", "Their", "Then", "There",
    "These", "They", "This", "Those", "To", "Under", "Unless", "Until", "Upon", "We", "What", "When", "Where",
    "Whenever", "Whether", "While", "Who", "With", "Within", "You", "Your", "Deputies", "Staff", "Employees",
    "Detainers", "Requests",
]
# fmt: on
STARTS = re.compile(rf"[“\"(]?(?:{'|'.join(OPENERS)})\b")
END = re.compile(r"(?<=[.?!])(?:[”\"’')\]]|\[\d{1,3}\])*\s+")

MODALS = (
    r"(?:shall|must|may|will|should|cannot|can|need\s+not|(?:is|are)\s+(?:not\s+)?to|"
    r"(?:is|are)\s+(?:not\s+)?(?:authori[sz]ed|permitted|allowed|required|prohibited|forbidden))"
)
MODAL = re.compile(rf"\b{MODALS}\b", re.I)
SUBORDINATE = re.compile(
    r"\b(?:if|when|whenever|where|wherever|unless|until|while|because|since|although|though|after|before|who|whom|whose|which|"
    r"that|whether|provided|except|so\s+that|as\s+long\s+as|to\s+the\s+extent)\b",
    re.I,
)
# ", but shall not …", "; and the supervisor shall …", ", and, if it rains, the clerk shall …"
_ASIDE = (
    r"(?:(?:however|therefore|instead|otherwise|accordingly),?\s+|,\s+(?=(?:if|when|where|upon|in)\b)[^,;]{3,90},\s+)?"
)
_NO_SUBJECT = r"(?!(?:if|when|where|unless|provided|except|that|which|who|to)\b)"
_SUBJECT = r"(?:[A-Za-z][\w'’\-]*\s+)"
JOINT = re.compile(
    rf"(?:(?:[,;]\s+(?:and|but|nor|or|yet)\b|;|\s+but\b)\s*)"
    rf"(?={_ASIDE}(?:{MODALS}\b|{_NO_SUBJECT}{_SUBJECT}{{1,7}}?{MODALS}\b))"
    # a series of full rules: "the clerk shall log it, the sergeant shall read it, and …"
    rf"|,\s+(?=(?:the|an?|no|each|every|any|all)\s+{_SUBJECT}{{1,5}}?{MODALS}\b[^,;]*,"
    rf"\s+and\s+{_SUBJECT}{{1,7}}?{MODALS}\b)",
    re.I,
)


def sentence_starts(text: str) -> list[int]:
    """Offsets at which a sentence begins, 0 first. Boundaries stand after the white space that ends the one before."""
    proposed = {end for _, end in nupunkt.sent_spans(text)} if re.search(r"[.?!][^\s.?!]*\s", text) else set()
    starts = [0]
    for match in END.finditer(text):
        at = match.end()
        if at >= len(text):
            continue
        # what stands close before decides: a paragraph without stops must not be read again at each of its words
        before = text[max(starts[-1], match.start() - NEAR) : at].rstrip()
        after = text[at : at + 60]
        if is_sentence_end(before, after, at in proposed or match.start() in proposed):
            starts.append(at)
    return starts


def is_sentence_end(before: str, after: str, proposed: bool) -> bool:
    """Does a sentence end between the two texts? `proposed`: nupunkt thinks so."""
    first = after.lstrip("“\"'‘([")[:1]
    if first.islower() or not first:
        return False
    bare = re.sub(r"(?:[”\"’')\]]|\[\d{1,3}\])+$", "", before)
    if MARK_ALONE.fullmatch(before):
        return False
    if re.fullmatch(r"\W*(?:A[.:]\s+)?No\.", bare):
        return not first.isdigit()  # the answer "No.", not a number
    if CLOSED.search(bare):
        return bare.endswith(("Mass.", "Gov.", "Reg.")) and proposed and bool(STARTS.match(after)) and bare == before
    if opened := OPEN.search(bare):
        if inside_brackets(before):
            return False  # "(D. Or. Apr. 11, 2014)"
        return bool(STARTS.match(after) or (opened["suffix"] and re.match(r"[A-Z]{2,5}\s+[a-z]", after)))
    if first == "§":
        return bool(re.search(r"(?:[a-z]{3}|\d)[.?!]$", bare))
    if first.isdigit():
        return proposed or bool(re.search(r"[a-z]{3}[.?!]$", bare))
    return True


def coordinated_starts(sentence: str) -> list[int]:
    """Offsets in a sentence at which a second rule with its own modal verb begins; without 0.

    Nothing is cut inside a subordinate clause, nor where the first part has no modal verb of its own: the condition
    stays with its rule.
    """
    cuts: list[int] = []
    for match in JOINT.finditer(sentence):
        left = sentence[cuts[-1] if cuts else 0 : match.start()]
        right = sentence[match.end() :]
        if not _main_modal(left) or inside_brackets(sentence[: match.start()]):
            continue
        modal = MODAL.search(right)
        if modal is None or SUBORDINATE.search(right[: modal.start()]):
            continue
        if (
            re.search(r"\b(?:either|neither|both|not only)\b", left, re.I)
            or len(right.split(maxsplit=3)) < 4
            or len(left.split(maxsplit=3)) < 4
        ):
            continue
        bare = match.group().strip(" ;,").lower() in ("and", "or", "nor") and modal.start() == 0
        if bare and _open_subordinate(left):
            continue
        cuts.append(match.start() + len(match.group()) - len(match.group().lstrip(" ,;")))
    return cuts


def _main_modal(left: str) -> bool:
    """A modal verb outside any subordinate clause."""
    for modal in MODAL.finditer(left):
        before = left[: modal.start()]
        tail = before[before.rfind(",") + 1 :]
        if not SUBORDINATE.search(tail):
            return True
    return False


def _open_subordinate(left: str) -> bool:
    """The words before the conjunction end inside a subordinate clause that has a modal of its own."""
    opened = [m.start() for m in SUBORDINATE.finditer(left)]
    return bool(opened) and bool(MODAL.search(left[opened[-1] :])) and "," not in left[opened[-1] :]


def inside_brackets(text: str) -> bool:
    """A bracket is open at the end of the text."""
    return text.count("(") > text.count(")")
