"""The conditions that a clause turns on: their types and the words that say them."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition type and the words of the clause (or its lead-in) that say it; words may be empty in foreign data."""

    type: str
    text: str


_ICE = (
    r"\b(?:ice|dhs|ero|cbp|hsi|the\s+service|(?:the\s+department\s+of\s+)?homeland\s+security|"
    r"(?:the\s+)?(?:federal\s+)?immigration\s+(?:\w+\s+)?(?:authorit(?:y|ies)|officers?|officials?|agents?|agenc(?:y|ies)|service))"
)
_JUDGE = r"(?:judges?|magistrates?|judicial\s+officers?)"
_PERSON = r"(?:person|individual|inmate|detainee|prisoner|victim|student|witness|parent)"

# What names a condition of each type. A cue counts where it stands in a limiting phrase, or anywhere for the types that
# limit by nature.
CUES: dict[str, str] = {
    "judicial_warrant": r"judicial(?:ly)?[\s-]+(?:issued\s+|signed\s+|criminal\s+)?(?:warrants?|orders?|determination|probable\s+cause)|criminal\s+(?:arrest\s+|judicial\s+)?warrants?"
    rf"|(?:warrants?|orders?)[^.;]{{0,40}}?(?:signed|issued|approved)\s+by\s+(?:an?|the)\s+(?:[\w-]+\s+){{0,4}}?(?:{_JUDGE}|court|justice)|court[\s-]issued\s+warrants?|judge['’]s\s+(?:signature|warrant|order)|search\s+warrant"
    rf"|\b{_JUDGE}\s+(?:has\s+|have\s+)?(?:so\s+)?(?:signed|issued|ordered|orders|signs|issues)\b",
    "criminal_history": r"convict(?:ed|ions?)\b|charged\s+with|felon(?:y|ies)|misdemeanou?rs?|serious\s+or\s+violent|violent\s+(?:or\s+serious\s+)?(?:crimes?|offen[cs]es?)|aggravated\s+felon\w+"
    r"|sex[\s-]offender|registry|gang\s+(?:member|database|file)|criminal\s+(?:history|record)|enumerated\s+offen[cs]es?|listed\s+offen[cs]es?|level\s+(?:1|one|i)\s+offend\w+|drug\s+trafficking|probation|crime\s+of\s+violence",
    "public_safety": r"(?<!of\s)(?<!department\s)public\s+safety(?!\s+(?:and|committee|department))|(?:immediate|imminent|serious|grave|credible)\s+(?:danger|threat|risk|harm)|danger(?:ous)?\b|threat\b|terror\w*|national\s+security|exigen\w+|emergenc(?:y|ies)|officer\s+safety|life[\s-]threatening|espionage|(?:bodily|physical)\s+(?:harm|injury)",
    # a hold "on a detainer" is the practice itself; a detainer is a trigger where something happens when it comes
    "ice_request": r"(?:on|upon|at|in\s+(?:response|reply|answer)\s+to|respond(?:s|ing)?\s+to|after|following|pursuant\s+to|without)\s+(?:(?:receipt\s+of|an?|any|the|its|their)\s+)*(?:written\s+|verbal\s+|valid\s+|formal\s+|federal\s+)*(?:request|inquir\w+)\b"
    rf"|requests?\s+(?:from|by|of)\s+{_ICE}|{_ICE}\s+(?:has\s+|have\s+|so\s+)*(?:asks?|asked|requests?|requested|lodged|lodges)\b|(?:asked|requested)\s+by\s+{_ICE}|notification\s+requests?|(?:when|if)\s+(?:so\s+)?(?:asked|requested)\b"
    r"|(?:when|where|if|after)\s+(?:an?\s+|any\s+)?(?:\w+\s+){0,2}(?:detainer|i-?247\w?)\s+(?:is|has|was|arrives|comes)|(?:receipt\s+of|receiving)\s+(?:an?\s+)?(?:\w+\s+){0,2}(?:detainer|i-?247)",
    "approval": r"(?:prior\s+|written\s+|express\s+|prior\s+written\s+)?(?:approval|permission|authori[sz]ation|consent|leave|say-so|sign-off)\s+(?:of|from|by)\s+(?:the|a|an|his|her|their)\s+[\w\s'’-]{0,30}?(?:chief|sheriff|supervisor|lieutenant|sergeant|captain|superintendent|commander|counsel|director|warden|board|commissioner|attorney|o\.?i\.?c|deputy|mayor|manager|administrator|colonel|secretary|designee)"
    r"|(?:chief|sheriff|supervisor|lieutenant|sergeant|captain|superintendent|commander|counsel|director|warden|board|commissioner|colonel|commanding\s+officer|officer\s+in\s+charge|council)[\w\s'’,-]{0,40}?\b(?:approves?|approved|agrees?|authori[sz]es?|authori[sz]ed|consents?|permits?|determines?|decides?|directs?|allows?|orders)"
    r"|approved\s+by\s+(?:the|a|an)|authori[sz]ed\s+by\s+(?:the\s+)?(?:chief|sheriff|a\s+supervisor|superintendent|captain|commander|board|council)|(?:prior|supervisory|command)\s+approval|(?:supervisor|chief|sheriff|commander|superintendent|counsel)\s+(?:has\s+)?(?:gives|given)\s+(?:permission|leave|approval|consent)|without\s+(?:the\s+)?(?:approval|permission|leave)",
    "required_by_law": r"(?:as|where|when|if|unless|except\s+as|to\s+the\s+extent|otherwise|is|are)\s+(?:otherwise\s+)?(?:required|authori[sz]ed|permitted|allowed|provided|mandated|compelled)\s+(?:by|under|in)\s+(?:(?:any|applicable|federal|state|local|other|or|and|the|court|city)[\s,]+)*(?:laws?|statutes?|court\s+orders?|orders?|regulations?|ordinances?|section|chapter|policy|u\.s\.c|8\s|(?:m\.)?g\.l\.)"
    r"|(?:required|permitted|authori[sz]ed)\s+by\s+(?:\w+\s+){0,3}law\b|8\s*u\.?\s?s\.?\s?c\.?\s*(?:§+|sections?)?\s*(?:1373|1644)|sections?\s+1373|(?<!§)§+\s*1373|court\s+order|subpoena|in\s+accordance\s+with\s+(?:section|rcw|chapter|state\s+law|the\s+law|applicable)|comply\s+with\s+(?:state|federal|applicable)|consistent\s+with\s+(?:state|federal|applicable)\s+law|to\s+the\s+extent\s+(?:permitted|required|allowed)|not\s+violate\s+any",
    "public_information": r"(?:publicly\s+available|available\s+to\s+the\s+(?:general\s+)?public|public\s+(?:record|information|log|docket|roster|website|inmate\s+search)s?|open\s+to\s+(?:the\s+public|anyone|anybody|all)|already\s+public|any\s+(?:member\s+of\s+the\s+public|caller|citizen)|anyone\s+(?:else\s+)?(?:may|can|could))",
    "criminal_investigation": r"criminal\s+(?:investigations?|matters?|activit(?:y|ies)|offen[cs]es?|violations?|laws?|cases?|enforcement|purposes?)|(?:investigation|prosecution)\s+of\s+(?:a\s+|any\s+|the\s+|an\s+)?(?:crimes?|criminal|offen[cs]es?|felon\w+)|law[\s-]enforcement\s+purpose|unrelated\s+to\s+(?:the\s+)?(?:civil\s+)?(?:immigration|enforcement)|other\s+than\s+(?:civil\s+)?immigration|probable\s+cause\s+to\s+believe|reasonable\s+suspicion|132[56]|element\s+of\s+(?:the|an|a)\s+(?:crime|offen[cs]e)|trafficking|smuggling|joint\s+(?:law\s+enforcement\s+)?task\s+force",
    # the leave of a sheriff or a board is approval, whatever it is called
    "consent": rf"(?:written\s+|informed\s+|voluntary\s+|signed\s+)?consent(?:s|ed|ing)?\b(?!\s+of\s+(?:the|an?|his|her)\s+(?!{_PERSON}))|with\s+the\s+{_PERSON}['’]?s\s+(?:\w+\s+)?(?:permission|agreement)"
    rf"|{_PERSON}\s+(?:\w+\s+){{0,2}}(?:agrees|asks|requests|elects|chooses|waives)|at\s+the\s+(?:{_PERSON}['’]s\s+(?:own\s+)?request|request\s+of\s+the\s+{_PERSON})|authori[sz]ed\s+in\s+writing\s+by\s+the",
}
# Words of which a cue holds at least one: the cues are slow, and most clauses have none of these.
STEMS: dict[str, tuple[str, ...]] = {
    kind: tuple(stems.split())
    for kind, stems in {
        "judicial_warrant": "judic judge magistrate warrant order",
        "criminal_history": "convict charged felon misdemean violen offen registry gang criminal traffick probation",
        "public_safety": "safety danger threat risk harm terror security exigen emergenc espionage injury",
        "ice_request": "request inquir ask lodge detainer i-247 i247",
        "approval": "approv permission permit authori consent leave say-so sign-off agree determin decid direct allow order",
        "required_by_law": "require authori permit allow provide mandate compel 1373 1644 court subpoena rcw section law chapter accordance",
        "public_information": "public open any",
        "criminal_investigation": "criminal investigation prosecution purpose unrelated other cause suspicion 132 element "
        "traffick smuggl force",
        "consent": "consent permission agree ask request elect choose waive authori",
    }.items()
}
LIMITING = re.compile(
    r"\b(?:unless|except|only|if|when|where|without|provided|until|absent|pursuant|solely|subject\s+to|to\s+the\s+extent|so\s+long\s+as|as\s+long\s+as|"
    r"in\s+the\s+(?:event|case)|upon|on|after|for|who|whose|with|that|in\s+(?:response|reply|answer)|at|as|by|during|related|relating|has|have|any|because|based)\b",
    re.I,
)
PHRASE_START = re.compile(
    r"\b(?:unless|except|only|if|when|where|without|provided|until|absent|pursuant\s+to|subject\s+to|to\s+the\s+extent|so\s+long\s+as|as\s+long\s+as|in\s+the\s+event|upon|after|who|whose|with|in\s+(?:response|reply)\s+to|at\s+the|as|other\s+than)\b",
    re.I,
)
_PHRASE_END = re.compile(r"[,;:)]|(?<!\b\w)\.(?=\s+[A-Z“\"]|\s*$)")
COMPILED = {kind: re.compile(rf"(?<!\w)(?:{cue})", re.I) for kind, cue in CUES.items()}


def find_conditions(text: str, context: str = "") -> tuple[Condition, ...]:
    """Condition types with their words, from a clause and, where the clause is silent on them, its lead-in."""
    found = []
    fields = [(field, field.lower()) for field in (text, context) if field]
    for kind, cue in COMPILED.items():
        for field, lower in fields:
            match = cue.search(field) if any(stem in lower for stem in STEMS[kind]) else None
            if match and LIMITING.search(field[: match.end()]):
                found.append(Condition(kind, limiting_phrase(field, match.start(), match.end())))
                break
    return tuple(found)


def limiting_phrase(text: str, start: int, end: int) -> str:
    """The words around a cue, from the word that opens the limit to the next comma, semicolon or full stop.

    The stop of an abbreviation ("8 U.S.C. § 1373", "G.L. c. 276") does not end them.
    """
    before = text[:start]
    floor = max(before.rfind(c) for c in ";.:") + 1
    openers = [m.start() for m in PHRASE_START.finditer(before, floor)]
    first = openers[-1] if openers else start
    close = _PHRASE_END.search(text, end)
    last = close.start() if close else len(text)
    return text[first:last].strip()
