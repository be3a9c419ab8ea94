"""A block's text → sentences and coordinated rules.

nupunkt proposes sentence ends; legal abbreviations, citations and lower-case sequels veto them. A sentence is cut again
where two rules with a verb each are joined ("shall notify ICE, but shall not hold the person").
"""

from __future__ import annotations

import re

import nupunkt

# Never the end of a sentence, whatever follows.
CLOSED = re.compile(
    r"(?:^|[\s(\[“\"'’/—–-])(?:Sgt|Lt|Capt|Cpt|Cpl|Det|Ofc|Off|Ptl|Ptlm|Insp|Supt|Dep|Comm|Cmdr|Maj|Gen|Col|Hon|Dr|Mr|Mrs|Ms|Rev|Atty|St|"
    r"vs?|No|Nos|Sec|Secs|Art|Arts|Ch|Chs|cl|cls|c|cc|s|ss|p|pp|par|pars|para|subd|subds|subsec|subdiv|§|e\.g|i\.e|cf|viz|Cf|See|"
    r"Ann|Stat|Gov|Supp|App|Cir|Const|Pen|Rev|Rptr|Reg|Fed|Mass|Cal|Ill|Tex|Fla|Wash|Conn|Va|Ga|Ex|Exh|Fig|Tel|ext|approx|Attn|"
    r"M\.G\.L|G\.L|U\.S\.C|U\.S\.C\.A|C\.F\.R|C\.M\.R|F\.2d|F\.3d|S\.\s?Ct|L\.\s?Ed|N\.E|N\.E\.2d|N\.E\.3d|P\.C|R\.C\.W|O\.C\.G\.A|Fla\. Stat)\.$"
)
# The end of a sentence only where a sentence plainly begins after it.
OPEN = re.compile(r"(?:^|[\s(\[“\"'’/])(?:(?:[A-Za-z]\.){2,}|Inc\.|Co\.|Corp\.|Dept\.|Div\.|Jr\.|Sr\.|Esq\.|etc\.|al\.|Ct\.|Ave\.|Blvd\.|Rd\.|seq\.|id\.|Id\.|[A-Z]\.|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.)$")
OPENERS = (
    "A All An And Any As At Before But By During Each Either Every Except For From He Her His However If In It Its Members "
    "Neither No Nor Nothing Notwithstanding Of Officers On Once Only Or Our Personnel Persons She Should Since So Such "
    "Supervisors That The Their Then There These They This Those To Under Unless Until Upon We What When Where Whenever "
    "Whether While Who With Within You Your Deputies Staff Employees Detainers Requests"
).split()
STARTS = re.compile(rf"[“\"(]?(?:{'|'.join(OPENERS)})\b")
END = re.compile(r"(?<=[.?!])[”\"’')\]]*\s+|(?<=[.?!][”\"’')\]])\s+")

MODALS = r"(?:shall|must|may|will|should|cannot|can|need\s+not|is\s+to|are\s+to|is\s+not\s+to|are\s+not\s+to|is\s+authori[sz]ed|are\s+authori[sz]ed)"
MODAL = re.compile(rf"\b{MODALS}\b", re.I)
SUBORDINATE = re.compile(
    r"\b(?:if|when|whenever|where|wherever|unless|until|while|because|since|although|though|after|before|who|whom|whose|which|that|"
    r"whether|provided|except|so\s+that|as\s+long\s+as|to\s+the\s+extent)\b",
    re.I,
)
# ", but shall not …", "; and the supervisor shall …": a second rule, with its own modal, its subject repeated or not
JOINT = re.compile(
    rf"(?:(?:[,;]\s+(?:and|but|nor|or|yet)|;|\s+but)\s+)(?=(?:{MODALS}\b)|(?!if\b|when\b|where\b|unless\b|provided\b|except\b|that\b|which\b|who\b|to\b)"
    rf"(?:[A-Za-z][\w'’\-]*\s+){{1,7}}?{MODALS}\b)",
    re.I,
)


def sentence_starts(text: str) -> list[int]:
    """Offsets at which a sentence begins, 0 first. Boundaries stand after the white space that ends the one before."""
    proposed = {end for _, end in nupunkt.sent_spans(text)} if re.search(r"[.?!]\S*\s", text) else set()
    starts = [0]
    for match in END.finditer(text):
        at = match.end()
        if at >= len(text):
            continue
        before = text[starts[-1] : match.start()] + text[match.start() : at].rstrip()
        after = text[at : at + 60]
        if is_sentence_end(before, after, at in proposed or match.start() in proposed):
            starts.append(at)
    return starts


def is_sentence_end(before: str, after: str, proposed: bool) -> bool:
    """Does a sentence end between the two texts? `proposed`: nupunkt thinks so."""
    first = after.lstrip("“\"'‘([")[:1]
    if first.islower() or not first:
        return False
    bare = before.rstrip("”\"’')]")
    if re.fullmatch(r"\W*(?:\(?[0-9A-Za-z]{1,4}[.)]|\d+(?:\.\d+)+\.?)\s*", before):
        return False  # the list mark itself
    if CLOSED.search(bare):
        return bare.endswith(("Mass.", "No.", "Gov.", "Reg.")) and proposed and bool(STARTS.match(after)) and bare == before
    if OPEN.search(bare):
        return bool(STARTS.match(after))
    if first.isdigit() or first == "§":
        return proposed or bool(re.search(r"[a-z]{3}[.?!]$", bare))
    return True


def coordinated_starts(sentence: str) -> list[int]:
    """Offsets in a sentence at which a second rule with its own modal verb begins; without 0.

    Nothing is cut inside a subordinate clause, nor where the first part has no modal verb of its own: the condition stays
    with its rule.
    """
    cuts: list[int] = []
    for match in JOINT.finditer(sentence):
        left = sentence[cuts[-1] if cuts else 0 : match.start()]
        right = sentence[match.end() :]
        if not _main_modal(left) or _inside_brackets(sentence[: match.start()]):
            continue
        modal = MODAL.search(right)
        if modal is None or SUBORDINATE.search(right[: modal.start()]):
            continue
        if re.search(r"\b(?:either|neither|both|not only)\b", left, re.I) or len(right.split()) < 4 or len(left.split()) < 4:
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


def _inside_brackets(text: str) -> bool:
    return text.count("(") > text.count(")")
