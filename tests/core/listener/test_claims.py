from __future__ import annotations

import os
import shutil
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.listener_support import Host

from duct_tape.flags import MAX_FLAG_BYTES, Flag
from duct_tape.listener import claims
from duct_tape.listener.claims import Claim, Order
from duct_tape.listener.names import is_run_id
from duct_tape.listener.spool import Spool

CLAIM = Claim(id="00000000000000000001-00000001", name="app")


def only_app(name: str) -> str | None:
    return None if name == "app" else "unknown"


def test_a_claim_is_the_flag_in_a_folder_of_its_own(host: Host, spool: Spool) -> None:
    (host.volume / "app").write_text("content")

    claim = claims.take(spool, "app", "")

    assert claim
    assert host.at_top() == []
    assert claims.content(spool, claim) == b"content"
    assert claims.pending(spool, ()) == [claim]
    assert claims.pending(spool, {claim.id}) == []
    assert claims.release(spool, claim)
    assert host.claims() == []


def test_a_flag_that_is_gone_is_no_claim(host: Host, spool: Spool) -> None:
    assert claims.take(spool, "app", "") is None
    assert host.claims() == []


def test_claims_come_back_in_their_order(host: Host, spool: Spool) -> None:
    taken = []
    for name in ("b", "a", "c"):
        (host.volume / name).touch()
        taken.append(claims.take(spool, name, claims.newest(spool)))

    assert claims.pending(spool, ()) == taken


def test_claims_keep_their_order_when_the_clock_is_set_back(
    host: Host, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []
    for name, clock in (("b", 9000), ("a", 5000), ("c", 5000)):
        monkeypatch.setattr(time, "time_ns", lambda clock=clock: clock)
        (host.volume / name).touch()
        taken.append(claims.take(spool, name, claims.newest(spool)))

    assert claims.pending(spool, ()) == taken
    assert claims.newest(spool)[:20] == f"{9002:020d}"


def test_only_a_claim_can_be_the_newest(host: Host, spool: Spool) -> None:
    running = host.volume / ".running"
    running.mkdir(mode=0o700)
    (running / "notes").mkdir()
    assert claims.newest(spool) == ""
    (running / CLAIM.id).mkdir()
    assert claims.newest(spool) == CLAIM.id


def test_what_is_no_claim_is_left_alone_and_empty_ones_go(host: Host, spool: Spool) -> None:
    running = host.volume / ".running"
    running.mkdir(mode=0o700)
    (running / "notes").mkdir()
    (running / "00000000000000000001-0000000a").mkdir()
    (running / "00000000000000000001-0000000b").touch()

    assert claims.pending(spool, ()) == []
    assert host.claims() == ["00000000000000000001-0000000b", "notes"]


def test_content_that_is_no_flags(host: Host, spool: Spool) -> None:
    (host.volume / "app").write_bytes(b"x" * (MAX_FLAG_BYTES + 1))
    (host.volume / "link").symlink_to("/etc/passwd")
    huge, link = claims.take(spool, "app", ""), claims.take(spool, "link", "")
    assert huge
    assert link

    with pytest.raises(ValueError, match="more than 64 KiB"):
        claims.content(spool, huge)
    with pytest.raises(ValueError, match="cannot be read"):
        claims.content(spool, link)


def test_a_flag_that_may_not_be_read_counts_by_its_name(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    (spool.path / "app").touch()
    claim = claims.take(spool, "app", "")
    monkeypatch.setattr(claims, "read", refuse)

    assert claim
    assert claims.content(spool, claim) == b""


def test_a_claim_that_cannot_be_removed_says_so(host: Host, spool: Spool) -> None:
    (host.volume / "app").touch()
    claim = claims.take(spool, "app", "")
    assert claim
    (host.volume / ".running" / claim.id / "more").touch()

    assert not claims.release(spool, claim)


def test_a_claim_that_went_with_its_volume_is_released(host: Host, spool: Spool) -> None:
    assert claims.release(spool, CLAIM)
    shutil.rmtree(host.volume)
    assert claims.release(spool, CLAIM)


def test_the_name_decides_and_the_content_only_adds() -> None:
    line = Flag(run="r", application="other", tag="v1").to_line().encode()

    assert claims.identify(CLAIM, line, only_app) == Flag(run="r", application="app", tag="v1")


def test_another_name_counts_for_the_application_in_it() -> None:
    claim = Claim(id=CLAIM.id, name="app--v1")
    line = Flag(run="r", application="app").to_line().encode()

    assert claims.identify(claim, line, only_app) == Flag(run="r", application="app")
    assert claims.identify(claim, b"", only_app) == "unknown"
    assert claims.identify(claim, line.replace(b"app", b"../app"), only_app) == "unknown"


flags = st.text().map(lambda run: Flag(run=run, application="app").to_line().encode("utf-8", "replace"))


@given(st.one_of(st.binary(), flags))
def test_any_content_gives_a_flag_with_a_safe_run(content: bytes) -> None:
    flag = claims.identify(CLAIM, content, only_app)

    assert isinstance(flag, Flag)
    assert is_run_id(flag.run)
    assert flag.application == "app"


@given(st.binary().map(os.fsdecode), st.binary())
def test_any_name_gives_a_flag_or_a_reason(name: str, content: bytes) -> None:
    flag = claims.identify(Claim(id=CLAIM.id, name=name), content, only_app)

    assert isinstance(flag, Flag) == (name == "app")


@pytest.mark.parametrize(("content", "stdin"), [(b"anything", b"anything"), (b" \n", None), (b"", None)])
def test_what_a_script_reads(content: bytes, stdin: bytes | None) -> None:
    order = Order(claim=CLAIM, flag=Flag(run="r", application="app"), content=content)

    assert order.stdin == (stdin or order.flag.to_line().encode())
    assert order.application == "app"
