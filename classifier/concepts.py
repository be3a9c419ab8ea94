"""Text → folded words: lower case, with the many names of one thing (agencies, forms, statutes) under one concept name.

A text is cut into words once; a concept is looked for only where a word stands that can open one, which is what makes reading
fast. Concept names are in capitals, words never are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache


def _names(names: str, concept: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), concept)


# Single words that always mean the concept.
SINGLE: dict[str, str] = (
    _names(
        "inmate inmates prisoner prisoners detainee detainees arrestee arrestees individual individuals person persons "
        "defendant defendants people subject subjects",
        "PERSON",
    )
    | _names(
        "officer officers deputy deputies member members employee employees personnel trooper troopers staff agent agents",
        "OFFICER",
    )
    | _names("department departments agency agencies", "AGENCY")
    | _names("alien aliens noncitizen noncitizens", "ALIEN")
    | _names("alienage nationality", "STATUS")
)

# concept: words that can open it, and the pattern from there. Order matters: the first that matches wins.
# Case-insensitive unless marked (?-i:…).
PATTERNS: tuple[tuple[str, str, str], ...] = (
    (
        "LUNN",
        "lunn commonwealth 477 sjc",
        r"lunn\s+v[s.]*\s*\.?\s*comm\w*|commonwealth\s+v\.?\s+lunn|477\s+mass[.,]?\s*(?:at\s+)?\d{3}|sjc[\s-]*12276",
    ),
    (
        "AGREEMENT287",
        "section ina 287 1357 §",
        r"(?:section\s+|(?<!§)§+\s*|ina\s+(?:section\s+|§\s*)?)?287\s?\(\s?g\s?\)|1357\s?\(\s?g\s?\)",
    ),
    (
        "STATUTE1373",
        "8 section sections 1373 1644 §",
        r"(?:8\s*u\.?\s?s\.?\s?c\.?(?:\s*(?:§+|sections?))?\s*|sections?\s+|(?<!§)§+\s*)?(?:1373|1644)\b",
    ),
    ("CRIMINALENTRY", "1325 1326 §", r"(?:(?<!§)§+\s*)?132[56]\b"),
    (
        "ICE",
        "u united bureau immigration customs border department homeland enforcement law federal civil i d "
        "ice ero ins dhs cbp hsi lesc dro perc usbp bice",
        r"(?:u\.?\s?s\.?\s+|united states\s+)?(?:bureau of\s+)?immigration\s+(?:and|&)\s+customs\s+enforcement"
        r"|immigration\s+and\s+naturali[sz]ation\s+service"
        r"|(?:u\.?\s?s\.?\s+)?customs\s+and\s+border\s+(?:protection|patrol)|border\s+patrol"
        r"|(?:united states\s+|u\.?\s?s\.?\s+)?department\s+of\s+homeland\s+security|homeland\s+security(?:\s+investigations)?"
        r"|enforcement\s+and\s+removal(?:\s+operations)?|law\s+enforcement\s+support\s+cent(?:er|re)"
        r"|(?:federal\s+)?(?:civil\s+)?immigration\s+(?:enforcement\s+)?(?:authorit(?:y|ies)|agents?|officers?|officials?|agenc(?:y|ies)|service)"
        r"|federal\s+agents?"
        r"|i\.\s?c\.\s?e\.|d\.\s?h\.\s?s\.|i\.\s?n\.\s?s\.|(?-i:(?:ICE|ERO|INS|DHS|CBP|HSI|LESC|DRO|PERC|USBP|BICE)(?:/(?:ICE|ERO|HSI|DRO))?\b)",
    ),
    (
        "USCIS",
        "u united citizenship uscis",
        r"(?:u\.?\s?s\.?\s+|united states\s+)?citizenship\s+(?:and|&)\s+immigration\s+services?|uscis",
    ),
    (
        "ADMINWARRANT",
        "administrative civil immigration ice warrant warrants form dhs i i200 i205 final order orders removal",
        r"(?:administrative|civil|civil\s+immigration|immigration|ice)\s+(?:arrest\s+)?warrants?|warrants?\s+of\s+(?:removal|deportation)"
        r"|(?:form\s+)?(?:dhs\s+)?i-?(?:200|205)\b|(?:final\s+)?orders?\s+of\s+(?:removal|deportation)|removal\s+orders?",
    ),
    (
        "JUDICIALWARRANT",
        "judicial criminal warrant warrants order orders",
        r"judicial\s+(?:warrants?|orders?)|criminal\s+(?:arrest\s+)?warrants?"
        r"|(?:warrants?|orders?)\s+(?:\w+\s+){0,3}(?:signed|issued)\s+by\s+an?\s+(?:\w+\s+)?(?:judge|magistrate|court)",
    ),
    (
        "DETAINER",
        "detainer detainers civil immigration ice federal hold form dhs i",
        r"(?:(?:civil\s+)?immigration\s+|ice\s+|federal\s+)?(?:detainers?(?:\s+requests?)?|hold\s+requests?)|immigration\s+holds?|ice\s+holds?"
        r"|(?:form\s+)?(?:dhs\s+)?i-?247[a-z]?\b",
    ),
    (
        "VISA",
        "u t i",
        r"(?:u|t)(?:\s+and\s+(?:u|t))?[\s-]+(?:non-?immigrant\s+)?(?:visas?|status)|i-?91[48][ab]?\b",
    ),
    (
        "STATUS",
        "citizenship immigration place country lawful",
        r"(?:citizenship\s+(?:and|or)\s+)?immigration\s+(?:or\s+citizenship\s+)?status|citizenship(?:\s+status)?"
        r"|place\s+of\s+birth|country\s+of\s+(?:birth|origin|citizenship)|lawful\s+presence",
    ),
    (
        "ENFORCEMENT",
        "federal civil immigration enforce enforces enforced enforcing enforcement",
        r"(?:federal\s+)?(?:civil\s+)?immigration\s+(?:law\s+)?enforcement"
        r"|enforc\w+\s+(?:of\s+)?(?:the\s+)?(?:federal\s+)?(?:civil\s+)?immigration\s+laws?|(?:federal\s+|civil\s+){0,4}immigration\s+laws?",
    ),
    (
        "VIOLATION",
        "immigration unlawful unlawfully undocumented illegal illegally",
        r"immigration\s+(?:violations?|offen[cs]es?|matters?|purposes?)|unlawful(?:ly)?\s+presen(?:ce|t)|undocumented"
        r"|illegal(?:ly)?\s+(?:alien|present|in)",
    ),
    ("ALIEN", "non foreign", r"non-citizens?|foreign[\s-](?:born|nationals?)(?:\s+(?:persons?|inmates?|arrestees?))?"),
    (
        "AGENCY",
        "sheriff lea local state county municipal",
        r"sheriff(?:'s|’s)?\s+office|(?-i:LEA\b)|(?:local|state|county|municipal)\s+(?:\w+\s+)?(?:entit(?:y|ies)|government)",
    ),
)
CONCEPT = {name: re.compile(rf"(?:{pattern})(?!\w)", re.I) for name, _, pattern in PATTERNS}
OPENERS: dict[str, tuple[tuple[str, re.Pattern[str]], ...]] = {
    opener: tuple((name, CONCEPT[name]) for name, openers, _ in PATTERNS if opener in openers.split())
    for opener in {o for _, openers, _ in PATTERNS for o in openers.split()} | set(SINGLE)
}
PIECE = re.compile(r"[a-z]+(?:['’][a-z]+)?|(?<!\w)\d+(?:[.,:]\d+)*(?!\w)|[:;?§]", re.I)
# Concepts of any policy, immigration or not.
ORDINARY = frozenset({"NUM", "PERSON", "OFFICER", "AGENCY", "JUDICIALWARRANT", "ALIEN"})


@dataclass(frozen=True, slots=True)
class Folded:
    """A text's folded words in order, and for each the start and end of its characters."""

    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]


@lru_cache(maxsize=4096)  # a clause is read again as the one before, its heading and lead-in with every neighbour
def fold_words(text: str) -> Folded:
    """Words in lower case, with agency names, forms, statutes and numbers folded to concept names in capitals."""
    words: list[str] = []
    spans: list[tuple[int, int]] = []
    skip = 0
    for match in PIECE.finditer(text):
        start, end = match.span()
        if start < skip:
            continue
        word = match.group().lower()
        if word[-2:] in ("'s", "’s"):
            word = word[:-2]
        openers = OPENERS.get(word)
        if openers is not None:
            for name, pattern in openers:
                found = pattern.match(text, start)
                if found:
                    word, end = name, found.end()
                    skip = end
                    break
            else:
                word = SINGLE.get(word, word)
        if word[0].isdigit():
            word = "NUM"
        elif "’" in word:
            word = word.replace("’", "'")
        if word != "§":
            words.append(word)
            spans.append((start, end))
    return Folded(tuple(words), tuple(spans))
