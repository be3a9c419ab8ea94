"""Files that broken programs, careless people and attackers send, made on the spot. None is larger than the tests bear.

Each function writes one file; its decorator says under which name and how reading it must end. `URL` stands for an address
that a test listens on: nothing may ever ask for it.
"""

from __future__ import annotations

import io
import os
import random
import socket
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import docx
import pikepdf
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from pdf_files import body, page_of, write_pdf

READ = "read"
URL = "http://127.0.0.1:{port}/"
RULE = "Members shall notify ICE of the release date of any person held on a detainer."


@dataclass(frozen=True)
class Hostile:
    """One hostile file. ends: `read`, or words of the reason that must be given for the file or for some of its pages.

    "a|b": either, where it hangs on the machine which limit it meets first.
    """

    name: str
    ends: str
    make: Callable[[Path], object]


COLLECTION: list[Hostile] = []


def hostile(name: str, ends: str) -> Callable[[Callable[[Path], object]], Callable[[Path], object]]:
    """Put a function that writes a file into the collection."""

    def keep(make: Callable[[Path], object]) -> Callable[[Path], object]:
        COLLECTION.append(Hostile(name, ends, make))
        return make

    return keep


def content(name: str, ends: str) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    """The same for a function that returns what is in the file."""

    def keep(make: Callable[[], bytes]) -> Callable[[], bytes]:
        COLLECTION.append(Hostile(name, ends, lambda path: path.write_bytes(make())))
        return make

    return keep


# --- PDF: parts --------------------------------------------------------------------------------------------------


def pdf(*objects: bytes, trailer: bytes = b"") -> bytes:
    """A sound PDF file of raw objects, numbered from 1, the catalog first."""
    out = io.BytesIO(b"%PDF-1.7\n")
    out.seek(0, io.SEEK_END)
    places = []
    for number, one in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, one))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.writelines(b"%010d 00000 n \n" % place for place in places)
    out.write(b"trailer\n<</Root 1 0 R/Size %d%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start))
    return out.getvalue()


def stream(inside: bytes, entries: bytes = b"") -> bytes:
    """A stream object."""
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(inside), entries, inside)


def flate(inside: bytes, entries: bytes = b"") -> bytes:
    """A compressed stream object."""
    return stream(zlib.compress(inside, 9), b"/Filter/FlateDecode" + entries)


FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
CATALOG, PAGES = b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1/Kids[3 0 R]>>"
WORDS = b"BT /F 12 Tf 72 700 Td (" + RULE.encode() + b") Tj ET"


def one_page(
    contents: bytes,
    *more: bytes,
    page: bytes = b"",
    box: bytes = b"[0 0 612 792]",
    font: bytes = FONT,
    catalog: bytes = b"",
) -> bytes:
    """A file of one page. contents: the stream object 4; font: object 5; more: objects from 6."""
    entries = b"/MediaBox%s/Contents 4 0 R%s" % (box, page)
    if b"/Resources" not in page:
        entries += b"/Resources<</Font<</F 5 0 R>>>>"
    return pdf(CATALOG[:-2] + catalog + b">>", PAGES, b"<</Type/Page/Parent 2 0 R%s>>" % entries, contents, font, *more)


def ordinary(path: Path, pages: int = 3) -> Path:
    """A sound file to damage."""
    return write_pdf(path, [page_of([RULE, *body(30, 30 * n)]) for n in range(pages)])


def damaged(path: Path, damage: Callable[[bytes], bytes]) -> None:
    path.write_bytes(damage(ordinary(path).read_bytes()))


def locked(path: Path, user: str, revision: int) -> None:
    with pikepdf.open(ordinary(path), allow_overwriting_input=True) as opened:
        opened.save(path, encryption=pikepdf.Encryption(user=user, owner="owner", R=revision, aes=revision >= 4))


# --- PDF: locked and damaged -------------------------------------------------------------------------------------


@hostile("locked-with-a-password.pdf", "locked with a password")
def user_password(path: Path) -> None:
    locked(path, "secret", 4)


@hostile("locked-aes-256.pdf", "locked with a password")
def aes_256(path: Path) -> None:
    locked(path, "secret", 6)


@hostile("locked-against-printing.pdf", READ)  # an owner's password alone keeps nobody from reading
def owner_password(path: Path) -> None:
    locked(path, "", 6)


@hostile("cut-in-the-middle.pdf", "damaged")
def cut_in_half(path: Path) -> None:
    damaged(path, lambda data: data[: len(data) // 2])


@hostile("cut-at-the-start.pdf", "damaged")
def cut_early(path: Path) -> None:
    damaged(path, lambda data: data[:200])


@hostile("cut-at-the-end.pdf", READ)
def cut_late(path: Path) -> None:
    damaged(path, lambda data: data[:-100])


@hostile("rotten-few-bits.pdf", READ)
def rotten(path: Path) -> None:
    damaged(path, lambda data: rot(data, 5))


@hostile("rotten-throughout.pdf", "damaged")
def rotten_throughout(path: Path) -> None:
    damaged(path, lambda data: rot(data, len(data) // 20))


def rot(data: bytes, bits: int) -> bytes:
    """Bits of the data turned round, always the same ones."""
    chance, out = random.Random(7), bytearray(data)
    for _ in range(bits):
        out[chance.randrange(20, len(out))] ^= 1 << chance.randrange(8)
    return bytes(out)


@content("header-alone.pdf", "damaged")
def header_alone() -> bytes:
    return b"%PDF-1.7\n"


@content("zeros.pdf", "not a PDF")
def zeros() -> bytes:
    return bytes(100_000)


@hostile("rubbish-as-table-of-objects.pdf", READ)
def broken_xref(path: Path) -> None:
    damaged(path, lambda data: data[: data.rindex(b"xref\n0")] + random.Random(1).randbytes(5_000))


@content("table-of-objects-that-points-at-itself.pdf", READ)
def looped_xref() -> bytes:
    whole = one_page(stream(WORDS))
    return whole.replace(b"trailer\n<<", b"trailer\n<</Prev %d" % whole.rindex(b"xref\n0"))


# --- PDF: trees --------------------------------------------------------------------------------------------------


@content("page-tree-looped.pdf", "no pages")
def looped_tree() -> bytes:
    return pdf(CATALOG, b"<</Type/Pages/Count 1/Kids[2 0 R]/Parent 2 0 R>>")


@content("page-tree-10,000-deep.pdf", "damaged")
def deep_tree() -> bytes:
    nodes = (b"<</Type/Pages/Count 1/Kids[%d 0 R]>>" % (n + 3) for n in range(10_000))
    return pdf(CATALOG, *nodes, b"<</Type/Page/MediaBox[0 0 612 792]>>")


@content("counts-minus-one-page.pdf", READ)
def negative_count() -> bytes:
    return one_page(stream(WORDS)).replace(b"/Count 1/", b"/Count -1/")


@content("counts-a-billion-pages.pdf", READ)
def billion_counted() -> bytes:
    return one_page(stream(WORDS + b" 0 0 m")).replace(b"/Count 1/", b"/Count 1000000000/")


@content("20,000-blank-pages.pdf", READ)
def blank_pages() -> bytes:
    kids = b" ".join(b"%d 0 R" % n for n in range(3, 20_003))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>"
    return pdf(CATALOG, b"<</Type/Pages/Count 20000/Kids[%s]>>" % kids, *([page] * 20_000))


@content("one-page-a-million-times.pdf", "of computing|pages")
def repeated_page() -> bytes:
    return one_page(stream(WORDS)).replace(b"Kids[3 0 R]", b"Kids[%s]" % (b"3 0 R " * 1_000_000))


# --- PDF: pages that hold too much -------------------------------------------------------------------------------


@content("million-letters-on-a-page.pdf", "more than a page can hold")
def million_glyphs() -> bytes:
    return one_page(flate(b"BT /F 1 Tf 72 700 Td " + (b"(" + b"a" * 1_000 + b") Tj 0 -1 Td ") * 1_000 + b"ET"))


@content("40,000-letters-in-a-word.pdf", "more than a page can hold")
def long_word() -> bytes:
    return one_page(flate(b"BT /F 1 Tf (" + b"a" * 40_000 + b") Tj ET"))


@content("200,000-lines-on-a-page.pdf", "more than a page can hold")
def ruling_lines() -> bytes:
    return one_page(flate(b"".join(b"%d 0 m %d 792 l S " % (n % 612, n % 612) for n in range(200_000))))


@content("stream-of-600-MB.pdf", "memory")
def long_stream() -> bytes:
    packed = zlib.compressobj(9)
    inside = b"".join(packed.compress(b" " * 10_000_000) for _ in range(60)) + packed.flush()
    return one_page(stream(inside, b"/Filter/FlateDecode"))


@content("stream-packed-five-times.pdf", READ)
def nested_filters() -> bytes:
    inside = b" " * 100_000_000
    for _ in range(5):
        inside = zlib.compress(inside, 9)
    return one_page(stream(inside, b"/Filter[" + b"/FlateDecode" * 5 + b"]"))


@content("stream-through-1,000-filters.pdf", "damaged")
def many_filters() -> bytes:
    return one_page(stream(b"x" * 1000, b"/Filter[" + b"/ASCIIHexDecode" * 1000 + b"]"))


@content("objects-packed-to-a-bomb.pdf", "damaged|memory")
def object_stream_bomb() -> bytes:
    """A file whose page is in a stream of objects that unpacks to 600 MB, as a table in a stream says."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>"
    packed = zlib.compressobj(9)
    bomb = packed.compress(b"3 0 " + page)
    bomb += b"".join(packed.compress(b" " * 10_000_000) for _ in range(60)) + packed.flush()
    entries = b"/Filter/FlateDecode/Type/ObjStm/N 1/First 4"
    objects = [CATALOG, PAGES, b"null", stream(bomb, entries)]
    places, out = [], b"%PDF-1.7\n"
    for number, one in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(
        bytes([kind]) + place.to_bytes(4, "big") + b"\0"
        for kind, place in [(0, 0), (1, places[0]), (1, places[1]), (2, 4), (1, places[3]), (1, len(out))]
    )
    listed = stream(table, b"/Type/XRef/Size 6/W[1 4 1]/Root 1 0 R")
    return out + b"5 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (listed, len(out))


@content("arrays-100,000-deep.pdf", READ)
def deep_arrays() -> bytes:
    return one_page(stream(WORDS + b" "), b"[" * 100_000 + b"]" * 100_000, page=b"/X 6 0 R")


@content("dictionaries-100,000-deep.pdf", READ)
def deep_dictionaries() -> bytes:
    return one_page(stream(WORDS + b"  "), b"<</a" * 100_000 + b" 1" + b">>" * 100_000, page=b"/X 6 0 R")


@content("arrays-deep-in-a-page.pdf", READ)
def deep_operands() -> bytes:
    return one_page(stream(b"[" * 100_000 + b" " + WORDS))


@content("states-saved-100,000-times.pdf", READ)
def deep_states() -> bytes:
    return one_page(flate(b"q " * 100_000 + WORDS))


@content("form-that-draws-itself.pdf", "memory")
def looped_form() -> bytes:
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</XObject<</X 6 0 R>>>>"
    resources = b"/Resources<</Font<</F 5 0 R>>/XObject<</X 6 0 R>>>>"
    return one_page(stream(WORDS + b" /X Do"), stream(b"/X Do /X Do", form), page=resources)


@content("forms-that-double-30-times.pdf", "memory")
def doubling_forms() -> bytes:
    forms = [
        stream(
            b"/X Do /X Do",
            b"/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</XObject<</X %d 0 R>>>>" % (n + 1),
        )
        for n in range(6, 36)
    ]
    last = stream(WORDS, b"/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</Font<</F 5 0 R>>>>")
    resources = b"/Resources<</Font<</F 5 0 R>>/XObject<</X 6 0 R>>>>"
    return one_page(stream(WORDS + b" /X Do"), *forms, last, page=resources)


@content("picture-of-a-trillion-dots.pdf", "scanned image")
def huge_picture() -> bytes:
    entries = b"/Type/XObject/Subtype/Image/Width 1000000/Height 1000000/BitsPerComponent 8/ColorSpace/DeviceGray"
    resources = b"/Resources<</Font<</F 5 0 R>>/XObject<</X 6 0 R>>>>"
    return one_page(stream(b"612 0 0 792 0 0 cm /X Do"), flate(bytes(1000), entries), page=resources)


# --- PDF: what acts ----------------------------------------------------------------------------------------------


@content("runs-javascript.pdf", READ)
def javascript() -> bytes:
    script = b"/OpenAction<</S/JavaScript/JS(app.launchURL('" + URL.encode() + b"');while(1);)>>"
    return one_page(stream(WORDS + b" %js"), catalog=script)


@content("launches-a-program.pdf", READ)
def launch() -> bytes:
    actions = (
        b"/OpenAction<</S/Launch/F(/bin/sh)/Win<</F(cmd.exe)/P(/c calc)>>>>/AA<</WC<</S/URI/URI(%s)>>>>" % URL.encode()
    )
    return one_page(stream(WORDS + b" %launch"), catalog=actions)


@content("carries-a-program.pdf", READ)
def embedded() -> bytes:
    names = b"/Names<</EmbeddedFiles<</Names[(../../evil.exe)<</Type/Filespec/F(../../evil.exe)/EF<</F 6 0 R>>>>]>>>>"
    return one_page(stream(WORDS + b" %embedded"), stream(b"MZ" + bytes(100)), catalog=names)


@content("form-of-xml.pdf", READ)
def xfa() -> bytes:
    form = b'<!DOCTYPE x [<!ENTITY e SYSTEM "%s">]><xdp:xdp>&e;</xdp:xdp>' % URL.encode()
    return one_page(stream(WORDS + b" %xfa"), stream(form), catalog=b"/AcroForm<</Fields[]/XFA 6 0 R>>")


@content("page-elsewhere.pdf", "page is damaged")
def external_stream() -> bytes:
    return one_page(b"<</Length 0/F<</FS/URL/F(%s)>>/FFilter/FlateDecode>>stream\n\nendstream" % URL.encode())


@content("page-in-the-password-file.pdf", "page is damaged")
def local_stream() -> bytes:
    return one_page(b"<</Length 0/F(/etc/passwd)>>stream\n\nendstream")


@content("picture-elsewhere.pdf", READ)
def external_picture() -> bytes:
    entries = b"/Type/XObject/Subtype/Image/Width 9/Height 9/F<</FS/URL/F(%s)>>" % URL.encode()
    resources = b"/Resources<</Font<</F 5 0 R>>/XObject<</X 6 0 R>>>>"
    return one_page(stream(WORDS + b" /X Do"), stream(b"", entries), page=resources)


# --- PDF: absurd sizes and fonts ---------------------------------------------------------------------------------


def sized(name: str, box: bytes, ends: str) -> None:
    content(name, ends)(lambda: one_page(stream(WORDS + b" %" + box), box=box))


sized("page-without-size.pdf", b"[0 0 0 0]", "page is damaged")
sized("page-of-negative-size.pdf", b"[612 792 -612 -792]", READ)
sized("page-of-a-billion-points.pdf", b"[0 0 1000000000 1000000000]", READ)
sized("page-of-no-number.pdf", b"[0 0 NaN Infinity]", READ)
sized("page-of-1e308.pdf", b"[0 0 1" + b"0" * 308 + b" 792]", READ)
sized("page-of-words.pdf", b"[(a) /b null]", READ)


@content("scan-of-a-billion-points.pdf", "scanned image")
def huge_scan() -> bytes:
    entries = b"/Type/XObject/Subtype/Image/Width 8/Height 8/BitsPerComponent 8/ColorSpace/DeviceGray"
    resources = b"/Resources<</XObject<</X 6 0 R>>>>"
    draw = stream(b"1000000000 0 0 1000000000 0 0 cm /X Do")
    return one_page(draw, flate(bytes(64), entries), page=resources, box=b"[0 0 1000000000 1000000000]")


@content("font-missing.pdf", READ)
def no_font() -> bytes:
    return one_page(stream(WORDS + b" %f"), font=b"null")


@content("font-of-itself.pdf", "page is damaged")
def looped_font() -> bytes:
    return one_page(
        stream(WORDS),
        font=b"<</Type/Font/Subtype/Type0/BaseFont/A/Encoding 5 0 R/DescendantFonts[5 0 R]/ToUnicode 5 0 R>>",
    )


@content("font-with-huge-map.pdf", "page is damaged|of computing|memory")
def huge_map() -> bytes:
    mapped = b"begincmap 1 begincodespacerange <00000000> <FFFFFFFF> endcodespacerange\n"
    mapped += b"1 beginbfrange <00000000> <FFFFFFFF> <0041> endbfrange\nendcmap"
    font = b"<</Type/Font/Subtype/Type0/BaseFont/A/Encoding/Identity-H/DescendantFonts[7 0 R]/ToUnicode 6 0 R>>"
    descendant = b"<</Type/Font/Subtype/CIDFontType2/BaseFont/A/W[0 2000000000 500]/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>"
    return one_page(stream(WORDS), flate(mapped), descendant, font=font)


@content("letters-of-a-million-points.pdf", READ)
def huge_letters() -> bytes:
    return one_page(stream(b"BT /F 1000000 Tf 1e30 0 0 1e30 0 0 Tm (Members shall notify ICE.) Tj ET"))


# --- not what the name says --------------------------------------------------------------------------------------


@content("picture.pdf", "PNG image")
def png_as_pdf() -> bytes:
    return b"\x89PNG\r\n\x1a\n" + bytes(1000)


@hostile("pdf-as-text.txt", READ)
def pdf_as_txt(path: Path) -> None:
    write_pdf(path, [page_of([RULE, "A file that has the wrong name."])])


@content("program.docx", "not a DOCX")
def exe_as_docx() -> bytes:
    return b"MZ\x90\x00" + bytes(range(256)) * 40


@content("program.exe", ".exe file can't be read")
def exe() -> bytes:
    return b"MZ\x90\x00" + bytes(range(255)) * 40


@content("archive.pdf", "zip archive")
def zip_as_pdf() -> bytes:
    return archive({"a.txt": b"a"})


# --- Word --------------------------------------------------------------------------------------------------------


def archive(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, inside in parts.items():
            packed.writestr(name, inside)
    return out.getvalue()


def word(
    *paragraphs: str, change: dict[str, Callable[[bytes], bytes]] | None = None, more: dict[str, bytes] | None = None
) -> bytes:
    """A Word file. change: what to do with which of its parts; more: parts to add."""
    document, out = docx.Document(), io.BytesIO()
    for text in paragraphs:
        document.add_paragraph(text)
    document.save(out)
    with zipfile.ZipFile(out) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    for name, edit in (change or {}).items():
        parts[name] = edit(parts[name])
    return archive(parts | (more or {}))


MAIN = "word/document.xml"
W = "xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'"


def main_part(inside: str, before: str = "") -> dict[str, Callable[[bytes], bytes]]:
    whole = f"<?xml version='1.0'?>{before}<w:document {W}><w:body>{inside}</w:body></w:document>"
    return {MAIN: lambda _: whole.encode()}


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


@content("bomb-of-pictures.docx", "more than 300")
def zip_bomb() -> bytes:
    return word(RULE, more={f"word/media/{n}.png": bytes(50_000_000) for n in range(8)})


@content("bomb-of-text.docx", "more than 60")
def text_bomb() -> bytes:
    return word(change=main_part(paragraph("a" * 100_000_000)))


@content("bomb-that-lies.docx", "damaged")
def lying_bomb() -> bytes:
    data = bytearray(word(change=main_part(paragraph("a" * 100_000_000))))
    place = data.rindex(MAIN.encode(), 0, len(data)) - 46 + 24  # its size in the directory at the end
    data[place : place + 4] = (1000).to_bytes(4, "little")
    return bytes(data)


@content("billion-laughs.docx", "damaged")
def laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return word(change=main_part(paragraph("&l9;"), f'<!DOCTYPE x [<!ENTITY l0 "lol">{entities}]>'))


@content("entity-elsewhere.docx", READ)
def external_entity() -> bytes:
    entities = f'<!ENTITY a SYSTEM "file:///etc/passwd"><!ENTITY b SYSTEM "{URL}">'
    return word(change=main_part(paragraph("&a;&b;"), f"<!DOCTYPE x [{entities}]>"))


@content("definition-elsewhere.docx", READ)
def external_dtd() -> bytes:
    return word(change=main_part(paragraph(RULE), f'<!DOCTYPE x SYSTEM "{URL}">'))


@content("template-elsewhere.docx", READ)
def external_relationship() -> bytes:
    there = f'<Relationship Id="rX" TargetMode="External" Target="{URL}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate"/></Relationships>'
    return word(
        RULE, change={"word/_rels/document.xml.rels": lambda data: data.replace(b"</Relationships>", there.encode())}
    )


@content("tables-100,000-deep.docx", "damaged")
def nested_tables() -> bytes:
    return word(
        change=main_part("<w:tbl><w:tr><w:tc>" * 100_000 + paragraph(RULE) + "</w:tc></w:tr></w:tbl>" * 100_000)
    )


@content("tables-50-deep.docx", READ)
def tables_in_tables() -> bytes:
    return word(change=main_part("<w:tbl><w:tr><w:tc>" * 50 + paragraph(RULE) + "</w:tc></w:tr></w:tbl>" * 50))


@content("cell-over-a-billion-columns.docx", READ)
def wide_cell() -> bytes:
    span = '<w:tcPr><w:gridSpan w:val="1000000000"/></w:tcPr>'
    return word(change=main_part(f"<w:tbl><w:tr><w:tc>{span}{paragraph(RULE)}</w:tc></w:tr></w:tbl>"))


@content("list-from-a-billion.docx", READ)
def far_list() -> bytes:
    start = b'<w:start w:val="999999999"/><w:numFmt w:val="lowerLetter"/>'
    document, out = docx.Document(), io.BytesIO()
    item = document.add_paragraph(RULE)
    item._p.get_or_add_pPr().append(
        parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>')
    )
    document.save(out)
    with zipfile.ZipFile(out) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    lists = (
        b'<w:abstractNum w:abstractNumId="99"><w:lvl w:ilvl="0">'
        + start
        + b'<w:lvlText w:val="%1."/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="99"/></w:num>'
    )
    parts["word/numbering.xml"] = f"<w:numbering {W}>".encode() + lists + b"</w:numbering>"
    return archive(parts)


@content("level-of-words.docx", "damaged")
def word_level() -> bytes:
    item = "<w:p><w:pPr><w:numPr><w:ilvl w:val='x'/><w:numId w:val='1'/></w:numPr></w:pPr><w:r><w:t>a</w:t></w:r></w:p>"
    return word(change=main_part(item))


@content("parts-missing.docx", "damaged")
def missing_parts() -> bytes:
    return archive({MAIN: b"<a/>"})


@content("names-that-climb.docx", READ)
def climbing_names() -> bytes:
    return word(RULE, more={"../../climbed.txt": b"x", "/tmp/climbed.txt": b"x", "C:\\climbed.txt": b"x"})


@content("locked.docx", "locked with a password")
def locked_office() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600)


@content("locked-as-a-zip.docx", "locked with a password")
def locked_zip() -> bytes:
    data = bytearray(word(RULE + " "))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


@content("cut.docx", "not a DOCX")
def cut_word() -> bytes:
    whole = word(RULE + "  ")
    return whole[: len(whole) // 2]


@content("5,000-paragraphs.docx", READ)
def many_paragraphs() -> bytes:
    return word(change=main_part(paragraph("The desk keeps the log.") * 5_000))


# --- HTML --------------------------------------------------------------------------------------------------------


@content("tags-100,000-deep.html", READ)
def deep_tags() -> bytes:
    return b"<html>" + b"<div>" * 100_000 + RULE.encode()


@content("bold-50,000-deep.html", READ)
def deep_bold() -> bytes:
    return b"<html>" + b"<b>a" * 50_000 + RULE.encode()


@content("million-tags.html", "tags, more than")
def many_tags() -> bytes:
    return b"<html>" + b"<p>a</p>" * 1_000_000


@content("10,000-items.html", READ)
def many_items() -> bytes:
    return b"<html><ol>" + b"<li>a log" * 10_000


@content("one-line-of-50-MB.html", "characters, more than")
def long_html() -> bytes:
    return b"<html>" + b"word " * 10_000_000


@content("asks-for-more.html", READ)
def fetching_html() -> bytes:
    return f"""<html><head><base href="{URL}"><meta http-equiv=refresh content="0;url={URL}"><link rel=stylesheet href="{URL}">
        <script src="{URL}">while(1);</script></head><body><img src="{URL}"><iframe src="{URL}"></iframe>{RULE}""".encode()


@content("entities.html", READ)
def entities() -> bytes:
    return b"<html><p>" + b"&amp;&#8217;&#x110000;&#xD800;&#xDFFF;&nosuch;" + b"&lt;" * 200_000


@content("sign-of-6,000-digits.html", "damaged")
def far_sign() -> bytes:
    return b"<html><p>&#" + b"9" * 6_000 + b";"


@content("open-tags.html", "of computing")
def open_tags() -> bytes:
    return b"<html>" + b"<a " * 200_000


@content("open-declarations.html", "damaged")
def open_declarations() -> bytes:
    return b"<html>" + b"<![x[" * 200_000


@content("binary-inside.html", READ)
def binary_html() -> bytes:
    return b"<html><p>" + RULE.encode() + random.Random(3).randbytes(20_000).replace(b"\0", b"")


for charset in ("idna", "hex", "utf-7", "punycode", "rot13", "unicode_escape", "undefined", "no-such"):
    content(f"charset-{charset}.html", READ)(
        lambda charset=charset: f"<html><meta charset={charset}><p>{RULE} é{'a-' * 20_000} {charset}".encode()
    )


@content("number-of-6,000-digits.html", READ)
def far_html_list() -> bytes:
    return (
        b"<html><ol start=" + b"9" * 6_000 + b"><li>" + RULE.encode() + b"</ol><ol type=a start=99999999><li>next</ol>"
    )


# --- text --------------------------------------------------------------------------------------------------------


@content("one-line-of-100-MB.txt", "characters, more than")
def long_txt() -> bytes:
    return b"a" * 100_000_000


@content("zeros.txt", "binary data")
def zeros_txt() -> bytes:
    return bytes(10_000)


@content("zeros-between-words.txt", READ)
def few_zeros() -> bytes:
    return (RULE + "\n").encode() * 20 + b"\0" * 20


@content("no-utf-8.txt", READ)
def no_utf_8() -> bytes:
    return RULE.encode() + b" \xff\xfe\x80\xc3( \x81"


@content("utf-16-without-mark.txt", READ)
def bare_utf_16() -> bytes:
    return (RULE * 3).encode("utf-16-le")


@content("million-pages.txt", "page breaks, more than")
def form_feeds() -> bytes:
    return b"\f" * 1_000_000


def repeated(name: str, unit: str, length: int = 100_000, line: int = 0) -> None:
    """Text that a pattern might go over again and again: on one line, or in lines of so many characters."""

    def make() -> bytes:
        text = unit * (length // len(unit))
        return "\n".join(text[i : i + (line or length)] for i in range(0, len(text), line or length)).encode()

    content(name, READ)(make)


for sign, spelled in {
    "....": "dots", "((((": "brackets", "and ": "and", "1": "digits", "i": "ones", "-": "dashes", "“": "quotes", "_": "rules",
    "§": "sections", "• ": "bullets", "1.": "numbers", "(a) ": "marks", "shall, and ": "verbs", "No. ": "stops", "e\u0301\u0302": "zalgo",
    "…": "ellipses", "A": "capitals", "a@b.": "addresses",
}.items():  # fmt: skip
    repeated(f"long-line-of-{spelled}.txt", sign)
    repeated(f"lines-of-{spelled}.txt", sign, length=40_000, line=99)


@content("spaces.txt", READ)
def spaces() -> bytes:
    return b"a" + b" " * 5_000_000 + b"b"


@content("written-backwards.txt", READ)
def bidirectional() -> bytes:
    return f"\u202e{RULE}\u202c\u2066\u200f \u2069".encode()


@content("terminal-codes.txt", READ)
def escapes() -> bytes:
    return f"\x1b]0;owned\x07\x1b[2J{RULE}\x9b31m\r\b\b\x07".encode()


@content("formulas.txt", READ)
def formulas() -> bytes:
    return f'=HYPERLINK("{URL}")\n@SUM(1)\n+1\n-1\n{RULE}\n'.encode()


# --- names -------------------------------------------------------------------------------------------------------

for number, odd in enumerate(
    ("two\nlines.txt", 'quo"te\'s.txt', "=1+1.txt", "-rf.txt", "\x1b[31mred\x07.txt", "tab\t.txt", "%s%n{0}.txt", "<b>&amp;.txt",
     os.fsdecode(b"latin-\xe9\xff.txt"), "n" * 251 + ".txt", "\u202egpj.txt", "back\\slash.txt", "CON.txt", "$(touch x).txt", "a;b|c`d`.txt")
):  # fmt: skip
    content(odd, READ)(lambda number=number: f"{RULE}\nFile {number} with an odd name.\n".encode())


# --- no files ----------------------------------------------------------------------------------------------------


@hostile("empty.pdf", "empty (0 bytes)")
def empty(path: Path) -> None:
    path.touch()


@hostile("5-GB.pdf", "MB, more than")
def sparse(path: Path) -> None:
    with path.open("wb") as target:
        target.truncate(5 << 30)


@hostile("pipe.pdf", "not a file")
def pipe(path: Path) -> None:
    os.mkfifo(path)


@hostile("socket.pdf", "not a file")
def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        folder = os.open(path.parent, os.O_RDONLY)
        made.bind(f"/proc/self/fd/{folder}/{path.name}")  # a socket's path may have 107 bytes
        os.close(folder)


@hostile("endless.txt", "not a file")
def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@hostile("nowhere.pdf", "no such file")
def dangling(path: Path) -> None:
    path.symlink_to(path.parent / "gone" / "away.pdf")


@hostile("link-to-itself.pdf", "symbolic links")
def looped_link(path: Path) -> None:
    path.symlink_to(path.name)


@hostile("link-out-of-the-folder.txt", READ)  # a person keeps files where a person wants to
def outside(path: Path) -> None:
    target = path.parent.parent / "elsewhere.txt"
    target.write_text(f"{RULE}\nFrom another folder.\n", encoding="utf-8")
    path.symlink_to(target)
