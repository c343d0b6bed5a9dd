from retrieval.api import Document
from retrieval.chunk import MAX_WORDS, chunk, split_blocks
from retrieval.lexical import without_front_matter


def page(text, title="Disk is full"):
    return Document(id="p", collection="runbooks", title=title, text=text, source="p.md")


def test_each_chunk_is_led_by_title_and_headings():
    nodes = chunk([page("# Steps\nlook\n\n## By hand\ndelete old logs\n")], None)
    assert [node.metadata["section"] for node in nodes] == ["Steps", "Steps > By hand"]
    assert nodes[1].text == "Disk is full > Steps > By hand\ndelete old logs"
    assert {node.metadata["doc_id"] for node in nodes} == {"p"}


def test_a_long_section_is_cut_and_a_code_block_never_is():
    code = "```\n" + "run this\n\n" * 150 + "```"
    text = "word " * 400 + "\n\n" + code + "\n\nthe end"
    pieces = split_blocks(text, MAX_WORDS)
    assert code in pieces
    assert all(len(piece.split()) <= MAX_WORDS for piece in pieces if piece != code)
    assert sum(piece.split().count("word") for piece in pieces) == 400


def test_small_paragraphs_are_packed_together():
    assert split_blocks("one\n\ntwo\n\nthree", MAX_WORDS) == ["one\n\ntwo\n\nthree"]


def test_a_code_block_that_is_never_closed_stays_whole():
    assert split_blocks("```\na\n\nb", 1) == ["```\na\n\nb"]


def test_front_matter_is_not_text():
    assert without_front_matter("---\nid: x\n---\nbody") == "body"
    assert without_front_matter("body\n---\nrest") == "body\n---\nrest"


def test_an_empty_page_is_found_by_its_title():
    [node] = chunk([page("")], None)
    assert "Disk is full" in node.text
