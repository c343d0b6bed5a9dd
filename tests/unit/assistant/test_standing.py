"""How the journal stands, for people."""

from happened import ANN
from test_vouched import SIGNER, Desk
from written import NOON, finding

from assistant.domain.events import HypothesesRanked, Opened, Recalled
from assistant.journal.notary import VouchedJournal
from assistant.journal.standing import Standing

OPENED = Opened(at=NOON, text="booking fails", service="front")


def test_the_head_at_the_answer_stays_and_the_length_grows(tmp_path):
    database, journal = Desk(tmp_path).open()
    vouched = VouchedJournal(journal, SIGNER, [], [])
    standing = Standing(database, vouched)
    assert standing.of_answer("INC-1") == ""
    vouched.append("INC-1", ANN, [OPENED, HypothesesRanked(finding=finding(), seconds=0.1)])
    answered = vouched.head()[1]
    vouched.append("INC-1", ANN, [Recalled(similar=(), seconds=0.0)])
    assert standing.of_answer("INC-1") == f"audit {answered[:12]}… chain OK"
    assert standing.of_answer("INC-2") == ""
    size, head = vouched.head()
    assert standing.lines()[0].startswith(f"{size} records, head {head[:12]}…, chain OK")
    assert standing.lines()[1] == "Last checkpoint: of 0 records"
    vouched.vouch()
    assert standing.lines()[1] == f"Last checkpoint: of {size} records"
    database.close()


def test_a_card_is_shown_although_the_journal_cannot_be_read(tmp_path):
    database, journal = Desk(tmp_path).open()
    standing = Standing(database, VouchedJournal(journal, SIGNER, [], []))
    database.close()
    assert standing.of_answer("INC-1") == ""
