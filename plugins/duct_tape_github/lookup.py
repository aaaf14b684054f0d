"""Asking GitHub about one repository: its webhook, what that delivered, and the latest releases."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from duct_tape.api import Context, MalformedError, RawDelivery
from duct_tape_github import answers, missed
from duct_tape_github.answers import Delivered, Hook
from duct_tape_github.conf import GitHubConf, Repository
from duct_tape_github.errors import ApiError
from duct_tape_github.missed import Missed
from duct_tape_github.rest import Api

MAX_PAGES = 50
MAX_FETCHED = 100


class WebhookMissing(ApiError):
    """The repository has no webhook that calls this server, as far as the token and the configuration tell."""


@frozen(kw_only=True)
class Deliveries:
    """What the deliveries of a webhook ask for.

    :param looked_at: their ids, also of those that ask for nothing.
    :param complete: whether none was left for the next time.
    """

    found: tuple[Missed, ...]
    looked_at: tuple[str, ...]
    complete: bool


@frozen(eq=False)
class Lookup:
    """One configured repository at GitHub.

    :param name: ``owner/name``.
    """

    ctx: Context
    api: Api
    name: str
    repository: Repository

    async def hook(self) -> Hook:
        """The webhook that calls this server.

        :raises WebhookMissing: there is none.
        :raises ApiError: GitHub does not tell.
        """
        number = self.repository.hook_id
        url = f"{self.ctx.public_url.rstrip('/')}{self.ctx.prefix}" if self.ctx.public_url else None
        if url is None and number is None:
            raise WebhookMissing(
                f"nobody knows which webhook of {self.name} calls this server: set `public_url` under [server], or "
                f"`hook_id` for the repository, or `deliveries = false` under [plugins.{self.ctx.name}.reconcile]"
            )
        async for page in self.api.pages(f"/repos/{self.name}/hooks", MAX_PAGES, per_page=100):
            if found := missed.matching_hook(answers.hooks(page.items), url, number):
                return found
        wanted = f"has the id {number}" if number is not None else f"calls {url}"
        raise WebhookMissing(
            f"no webhook of {self.name} {wanted}: add it; if it is the organization's, set `deliveries = false` "
            f"under [plugins.{self.ctx.name}.reconcile]"
        )

    async def deliveries(self, since: str, known: Collection[str], *, all_of_them: bool) -> Deliveries:
        """What the webhook delivered, or failed to deliver.

        :param since: RFC 3339 time.
        :param known: the ids of deliveries that need no second look.
        :param all_of_them: whether those count too that were answered well.
        :raises ApiError: GitHub does not tell.
        """
        path = f"/repos/{self.name}/hooks/{(await self.hook()).id}/deliveries"
        listed: list[Delivered] = []
        async for page in self.api.pages(path, MAX_PAGES, per_page=100):
            items = answers.delivered(page.items)
            listed += items
            if items and max(item.at for item in items) < since:
                break
        chosen = [item for item in missed.candidates(listed, since, known) if all_of_them or not item.ok]
        looked_at = chosen[:MAX_FETCHED]
        found = [await self._delivery(path, item) for item in looked_at]
        return Deliveries(
            found=tuple(item for item in found if item),
            looked_at=tuple(item.guid for item in looked_at),
            complete=len(chosen) <= MAX_FETCHED,
        )

    async def releases(self, since: Callable[[], str]) -> list[Missed]:
        """The releases that were published since then and are to be deployed.

        :param since: RFC 3339 time; asked for when GitHub has answered, so that its clock is known.
        :raises ApiError: GitHub does not tell.
        """
        found: list[Missed | None] = []
        async for page in self.api.pages(f"/repos/{self.name}/releases", MAX_PAGES, per_page=50):
            recent = [item for item in page.items if missed.published_at(item) >= since()]
            # GitHub sorts them by the commit's time, more or less: a page without a recent one is the end.
            if not recent:
                break
            repository: Any = await self.api.get(f"/repos/{self.name}")
            if not isinstance(repository, dict):
                raise ApiError("GitHub answered something else than a repository")
            found += [
                self._understood(missed.release_delivery(item, repository), str(item.get("tag_name")))
                for item in recent
            ]
        return [item for item in found if item]

    async def present(self, item: Missed) -> Missed | None:
        """The same as the release stands now; None where it is no longer to be deployed.

        :raises Refused: with status 404 also where the release was deleted.
        :raises ApiError: GitHub does not tell.
        """
        release: Any = await self.api.get(f"/repos/{self.name}/releases/{item.id}")
        if not isinstance(release, dict):
            raise ApiError("GitHub answered something else than a release")
        return self._understood(missed.present_delivery(item.event, release), item.event.delivery)

    def withdrawn(self, item: Missed) -> None:
        """Tell that a release is not deployed after all."""
        told = "%.100s of %s is left out of the catching up: it was deleted, or is no longer to be deployed"
        self.ctx.log.info(told, item.decision.title, self.name)

    async def _delivery(self, path: str, item: Delivered) -> Missed | None:
        answer = await self.api.get(f"{path}/{item.id}")
        try:
            payload = answers.delivery_payload(answer)
        except MalformedError as error:
            self._leave_out(item.guid, error)
            return None
        return self._understood(missed.delivery(item.event, item.guid, payload), item.guid)

    def _understood(self, delivery: RawDelivery, told: str) -> Missed | None:
        conf: GitHubConf = self.ctx.config
        try:
            return missed.understood(delivery, conf)
        except MalformedError as error:
            self._leave_out(told, error)
            return None

    def _leave_out(self, told: str, error: MalformedError) -> None:
        self.ctx.log.warning("%.100s of %s is left out of the catching up: %s", told, self.name, error)


def moment(seconds: float) -> str:
    """A time as RFC 3339 in UTC, to the second, as GitHub writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
