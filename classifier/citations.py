"""Finds Lunn v. Commonwealth, 477 Mass. 517 (2017), in every form, OCR damage included, and no Officer Lunn."""

from __future__ import annotations

import re

# "Lunn" and what scanners make of it; the second party likewise
_NAME = r"(?:[L1lI|][uv](?:nn|rm|mn|im|un|nri|rin|n\s?n)|LUNN)"
_PARTY = r"(?:C[o0c][mnr]{1,4}[o0cu]?[mnr]{0,2}[a-z0-9]{0,4}w[ea][a-z0-9]{1,4}th|Comm(?:[.’']|onw\w*|\b))"
_CITATION = re.compile(
    rf"\b{_NAME}[,.]?\s+v(?:s|[.,]|ersus)*\s*(?:the\s+)?{_PARTY}"
    rf"|{_PARTY}[,.]?\s+v(?:s|[.,]|ersus)*\s*{_NAME}\b"
    r"|\b4[7T][7T]\s*M[aA@]s{1,2}[.,]?\s*(?:at\s+|@\s*)?5(?:[1lI][7T]|[23]\d)\b"
    r"|\b78\s+N\.\s?E\.\s?3d\s+1143\b"
    r"|\bS\.?\s?[JI]\.?\s?C\.?\s*[-–—]?\s*(?:No\.\s*)?[1lI]2\s?276\b|\bdocket\s+(?:no\.\s*)?(?:SJC-?)?12276\b",
    re.I,
)
_DESCRIBED = re.compile(
    r"(?:supreme\s+judicial\s+court|\bSJC\b|(?<!nation['’]s\s)highest\s+court|(?:state|commonwealth|massachusetts)(?:['’]s?)?\s+high\s+court)[^.;]{0,120}?(?:(?:20)?[’']?17\b|july|no\s+(?:authority|power)|cannot|may\s+not|lack)[^.;]{0,140}?(?:civil\s+(?:immigration\s+)?detainer|detainers?\b|immigration\s+hold)"
    r"|detainers?\b[^.;]{0,60}?(?:as\s+the\s+supreme\s+judicial\s+court|as\s+the\s+SJC)\s+(?:held|ruled|decided|declared)"
    r"|(?:decision|ruling|opinion)\s+(?:of|from|by)\s+the\s+(?:supreme\s+judicial\s+court|SJC)\b[^.;]{0,80}?detainers?\b"
    r"|2017\s+(?:\w+\s+){0,2}detainer\s+(?:decision|ruling|opinion)"
    r"|(?:2017|july\s+2017|july\s+24,?\s+2017)\s+(?:SJC\s+)?(?:decision|ruling|opinion|holding|case)\s+(?:of\s+the\s+|by\s+the\s+|from\s+the\s+)?(?:supreme\s+judicial\s+court|SJC)|2017\s+SJC\s+(?:decision|ruling|case|opinion)",
    re.I,
)
_BARE = re.compile(r"\bL(?:unn|UNN)\b")
_TITLE = re.compile(
    r"(?:\b(?:Officers?|Ofc\.|Sgt\.?|Sergeant|Lt\.?|Lieutenant|Capt\.?|Captain|Corporal|Cpl\.|Chief|Det\.?|Detective|Mr\.|Ms\.|Mrs\.|Dr\.|"
    r"Judge|Justice|Attorney|Atty\.?|Deputy|Trooper|Clerk|Inmate|Prisoner|Counselor|Director|Superintendent|Sheriff|Major|Nurse|Matron)|(?:(?<=[\w:,;]\s)|\b(?:Sgt|Lt|Capt|Det|Ofc|Cpl|Mr|Ms|Mrs|Dr)\.\s+)[A-Z]\.|\b(?:Officers|Sergeants|Lieutenants|Captains|Detectives|Deputies|Troopers|Messrs\.)\s+(?:[A-Z]\w+,?\s+)+and)\s*$"
)
_FIRST_NAME = re.compile(r"\b([A-Z][a-z]+)\s+$")
_PLACE = re.compile(
    r"(?:['’]s\s+(?:report|shift|cruiser|desk|notes|keys|badge|cell|Ware))|\s+(?:Street|St\.|Avenue|Ave\.|Road|Rd\.|Square|Hall|Park|Building|Field|County|Pond|Lane|Bridge|School|Beach|Point)\b"
)
# Capitalised words that begin a sentence, or stand in a case name's place, and are no first name
_NO_NAME = frozenset(
    "Under In Since Post After The See And But What Because That Before Following Per Unlike Beyond Despite While When If On To Of By As "
    "With Per Citing Cite Both Nor Not Nothing Although Though Whether Given Until Sreynuon Matter Re Does Did Is Was Has Had This "
    "Let Read Pursuant Consistent Our Their Its Where How Why Neither Either So Then Thus Hence Yet Also Only From For Against".split()
)

# One of these stands in every form above: the patterns are slow, and most clauses have none.
_HINTS = (" v.", " v,", " v ", " vs", " versus", *("477 4t7 47t 4tt 1143 276 court sjc 2017 unn".split()))


def find_lunn(text: str) -> tuple[int, int] | None:
    """Where a text names or plainly describes the Lunn decision: (start, end) in characters, or None."""
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS):
        return None
    for pattern in (_CITATION, _DESCRIBED):
        if match := pattern.search(text):
            return match.start(), match.end()
    for match in _BARE.finditer(text):
        if not _is_other(text[: match.start()], text[match.end() :]):
            return match.start(), match.end()
    return None


def _is_other(before: str, after: str) -> bool:
    """Is this Lunn an officer, a prisoner or a street?"""
    if _TITLE.search(before) or _PLACE.match(after):
        return True
    first = _FIRST_NAME.search(before)
    return bool(first) and first[1] not in _NO_NAME  # type: ignore[index]
