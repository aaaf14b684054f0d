"""What Bitbucket's deliveries deploy, and what not."""

from __future__ import annotations

from typing import Any

from tests.plugins.bitbucket.conftest import A, B, Bitbucket, branch, cloud, data_center, ref, tag
from tests.senders_support import decided

from duct_tape.api import Problem, Runs, Secret, Template, TriggerName
from duct_tape_bitbucket.conf import BitbucketConf, BitbucketRepository
from duct_tape_bitbucket.receive import PING, PUSH, REFS_CHANGED


def runs(bitbucket: Bitbucket, payload: dict[str, Any], event: str = PUSH) -> Runs:
    [decision] = decided(bitbucket.receiver, bitbucket.delivery(payload, event))
    assert isinstance(decision, Runs)
    return decision


def test_tags_are_deployed_and_branches_are_not(bitbucket: Bitbucket) -> None:
    told = bitbucket.told(cloud(tag("v1"), branch("main", A, B), {"new": None}))
    assert told == (
        "v1, `on` does not name `branch` for this repository: main is not deployed, "
        "`repo:push deleted` publishes nothing that can be deployed"
    )


def test_branches_by_choice() -> None:
    bitbucket = Bitbucket.of(on=("branch",), branches=("main", "release/*"))
    told = bitbucket.told(data_center(ref("refs/heads/release/1"), ref("refs/heads/x")), REFS_CHANGED)
    assert told == "release/1, the branch x matches none of main, release/*"


def test_a_tag_is_one_version_until_it_is_moved(bitbucket: Bitbucket) -> None:
    keys = [runs(bitbucket, cloud(tag("v1", commit))).key for commit in (A, A, B)]
    assert keys[0] == keys[1] != keys[2]


def test_a_branch_that_comes_back_to_a_commit_is_deployed_again() -> None:
    bitbucket = Bitbucket.of(on=("branch",))
    pushes = [branch("main", None, A), branch("main", A, B), branch("main", B, A)]
    assert len({runs(bitbucket, cloud(push)).key for push in pushes}) == 3


def test_what_data_center_sends_is_as_old_as_its_date(bitbucket: Bitbucket) -> None:
    payload = data_center(ref("refs/tags/v1"), date="2026-01-02T04:04:05+0100")
    assert runs(bitbucket, payload, REFS_CHANGED).version == "2026-01-02T03:04:05Z"
    assert runs(bitbucket, data_center(ref("refs/tags/v1"), date=None), REFS_CHANGED).version is None


def test_the_ping_gets_a_pong(bitbucket: Bitbucket) -> None:
    assert bitbucket.told({"test": True}, PING) == "pong: the signature is good"


def test_too_many_changes_deploy_nothing(bitbucket: Bitbucket) -> None:
    told = bitbucket.told(cloud(*[tag("v1")] * 101))
    assert told == "`repo:push of 101 changes` publishes nothing that can be deployed"


def test_what_is_wrong_with_a_configuration() -> None:
    repository = BitbucketRepository(application=Template("site"), triggers=(TriggerName("deploy"),))
    names = {"site": repository, "PRJ/site": repository, "~ada/site": repository}
    found: list[Problem] = list(BitbucketConf(secrets=(), repositories=names).ducttape_problems())
    assert [problem.path for problem in found] == ["secrets", 'repositories."site"']
    good = BitbucketConf(secrets=(Secret("test", b"x"),), repositories={"acme/*": repository})
    assert list(good.ducttape_problems()) == []
