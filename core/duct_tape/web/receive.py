"""Receiving: verify, parse, decide, record, answer.

An integration brings pure functions; everything that touches the network or the disk is here. The order
is fixed, so that no integration can forget the signature or answer before the delivery is on disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from attrs import evolve, field, frozen
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from duct_tape.assembly import Assembly, new_run
from duct_tape.delivery import Decision, Ignored, Pong, RawDelivery, Runs
from duct_tape.dispatch import Dispatcher
from duct_tape.errors import (
    DuctTapeError,
    MalformedError,
    SignatureError,
    UnavailableError,
    UnsupportedMediaError,
)
from duct_tape.events import Event
from duct_tape.journal import Acceptance, Journal
from duct_tape.plugins.allowed import Named
from duct_tape.plugins.instance import Instance
from duct_tape.runs import Run, RunState
from duct_tape.sample import Sample
from duct_tape.verifier import Verifier
from duct_tape.web.answers import answer, unauthorized
from duct_tape.web.limits import Memory, Share, check_encoding, read_body
from duct_tape.web.said import Said, together

T = TypeVar("T")
V = TypeVar("V")


# Decoding more than this takes long enough to keep others waiting, so it is done beside the event loop.
LARGE = 256 * 1024
# Each is recorded on its own before the answer. No sender tells of so many changes at once.
MAX_EVENTS = 100


@frozen(kw_only=True, eq=False)
class Receiver:
    """How one kind of sender is understood: pure functions, no I/O, total.

    :param verifier: how the sender proves itself, such as ``Hmac``. Headers are looked at before the body is read, so
        that strangers cost little; nothing else sees a delivery before it is verified.
    :param parse: the event of a verified delivery, or several where one delivery tells of several; raises
        ``MalformedError`` or ``UnsupportedMediaError``.
    :param decide: what to do about an event.
    :param reread: the events that a recorded one is today, for ``duct-tape deliveries replay``, where what ``parse``
        makes of a delivery depends on the configuration. By default the event itself.
    :param simulated: the delivery that the sender would make for an event name and a body, unsigned; for
        ``duct-tape simulate``. By default the body as JSON, with no header more.
    :param sample: a delivery that the sender would make, unsigned; for ``duct-tape check``, ``duct-tape <instance>
        send`` and the test kit. None without any.
    :param senders: names that ``allow_from`` may have beside networks, and the networks behind each; None as long as
        they are not known, and then nothing is accepted.
    """

    verifier: Verifier
    parse: Callable[[RawDelivery], Event | Sequence[Event]]
    decide: Callable[[Event], Decision]
    reread: Callable[[Event], Sequence[Event]] = field(default=lambda event: (event,))
    simulated: Callable[[str, bytes], RawDelivery] = field(default=lambda event, body: json_delivery(body))
    sample: Callable[[Sample], RawDelivery] | None = None
    senders: Mapping[str, Named] = field(factory=dict)

    def understood(self, delivery: RawDelivery) -> tuple[tuple[Event, Decision], ...]:
        """What a verified delivery says, and what to do about it.

        :raises MalformedError: it is not of the sender's form, or says nothing.
        :raises UnsupportedMediaError: its content type is not read.
        """
        parsed = self.parse(delivery)
        events = numbered((parsed,) if isinstance(parsed, Event) else tuple(parsed))
        return tuple((event, self.decide(event)) for event in events)


class ReceiverRoute(Route):
    """The route that an integration returns from ``ducttape_routes``.

    :param receiver: the integration's functions.
    :param path: ``"/"`` is ``/integrations/<instance>`` itself.
    """

    def __init__(self, receiver: Receiver, path: str = "/") -> None:
        self.receiver = receiver
        super().__init__(path, self._receive, methods=["POST"], name="receive")

    async def _receive(self, request: Request) -> Response:
        if request.scope["query_string"]:
            raise HTTPException(404)
        intake: Intake = request.app.state.intake
        return await intake.receive(request, request.scope["duct_tape.instance"], self.receiver)


@frozen(eq=False)
class Intake:
    """Where verified decisions go."""

    assembly: Assembly
    journal: Journal
    dispatcher: Dispatcher
    # Large bodies one at a time: decoded, each takes ten times its size of memory.
    _large: asyncio.Lock = field(factory=asyncio.Lock, init=False)
    _memory: Memory = field(init=False)
    _accepting: set[asyncio.Task[Acceptance]] = field(factory=set, init=False)

    @_memory.default
    def _configured_memory(self) -> Memory:
        return Memory(self.assembly.configuration.core.server.max_bodies)

    async def receive(self, request: Request, instance: Instance, receiver: Receiver) -> Response:
        """Answer one request."""
        log = logging.getLogger(instance.name)
        tell = partial(request.app.state.strangers.tell, request.scope)
        try:
            # In this order, and never another: size and time, signature, content type, shape.
            _pure(receiver.verifier.admit, _delivery(request, b""), (SignatureError,), log)
            with self._memory.share() as share:
                told = await self._understood(request, receiver, share, log)
                return together([await self._carry(instance, event, decision, log) for event, decision in told])
        except ClientDisconnect:
            return answer(400, "malformed", reason="the request ended early")
        except HTTPException as error:
            status = {408: "too slow", 413: "too large"}[error.status_code]
            tell(logging.WARNING, f"refused: the body is {status}")
            refused = answer(error.status_code, status)
            refused.headers.update(error.headers or {})
            return refused
        except SignatureError:
            tell(logging.WARNING, "refused: the signature is missing or wrong")
            return unauthorized()
        except UnsupportedMediaError as error:
            log.warning("refused: %s", error)
            return answer(415, "unsupported media type", reason=str(error))
        except MalformedError as error:
            log.warning("malformed: %s", error)
            return answer(400, "malformed", reason=str(error))
        except UnavailableError as error:
            # The cause is the operator's: it is logged and not told.
            tell(logging.ERROR, "unavailable, nothing was accepted", f"unavailable, nothing was accepted: {error}")
        except Exception:
            log.exception("a fault of Duct Tape's own: nothing was accepted")
        return answer(503, "unavailable", reason="nothing was accepted; send it again later")

    async def _understood(
        self, request: Request, receiver: Receiver, share: Share, log: logging.Logger
    ) -> tuple[tuple[Event, Decision], ...]:
        server = self.assembly.configuration.core.server
        body = await read_body(request, server.max_body, server.body_timeout, share)
        delivery = _delivery(request, body)
        if len(body) <= LARGE:
            _verified(receiver, delivery, log)
            check_encoding(request)
            return _understood(receiver, delivery, log)
        await asyncio.to_thread(_verified, receiver, delivery, log)
        check_encoding(request)
        # Strangers must not make the signed ones wait: only what is verified takes the lock.
        async with self._large:
            return await asyncio.to_thread(_understood, receiver, delivery, log)

    async def _carry(self, instance: Instance, event: Event, decision: Decision, log: logging.Logger) -> Said:
        if isinstance(decision, Pong):
            log.info("pong: %s", decision.message)
            return Said.pong(event.delivery, decision)
        if isinstance(decision, Ignored):
            return self._ignore(instance, event, decision.reason, log)
        if not decision.runs:
            return self._ignore(instance, event, "no run was asked for", log)
        accepted = await self.deliver(instance.name, event, decision)
        if accepted.older:
            return self._ignore(instance, event, accepted.older, log)
        if not accepted.runs:
            log.info("duplicate: %s of %s", decision.title or event.name, event.repository)
            return Said.duplicate(event.delivery, accepted)
        for run in accepted.runs:
            log.info("accepted: %s of %s for %s (run %s)", decision.title, event.repository, run.application, run.id)
        return Said.accepted(event.delivery, accepted)

    async def deliver(self, instance: str, event: Event, decision: Runs, *, again: bool = True) -> Acceptance:
        """Record the decision's runs durably, then have them carried out.

        :param again: whether a run that failed before is repeated.
        :raises UnavailableError: they cannot be recorded, or a trigger's plugin is off.
        """
        for planned in decision.runs:
            if planned.trigger not in self.assembly.triggers or self.assembly.is_off(planned.trigger):
                raise UnavailableError(f"the plugin behind the trigger `{planned.trigger}` is off")
        runs = [new_run(instance, planned, event) for planned in decision.runs]
        # Whoever asked may stop waiting while the journal commits: what is on disk is carried out all the same.
        task = asyncio.create_task(self._accepted(event, decision, runs, again))
        self._accepting.add(task)
        task.add_done_callback(self._accepting.discard)
        return await asyncio.shield(task)

    async def _accepted(self, event: Event, decision: Runs, runs: Sequence[Run], again: bool) -> Acceptance:
        accepted = await self.journal.accept(event, decision, runs, again=again, lease=self.dispatcher.lease)
        self.dispatcher.submit(accepted)
        return accepted

    async def recent(self, limit: int, application: str | None, state: RunState | None) -> list[Run]:
        """The latest runs, newest first."""
        return await self.journal.recent(limit, application, state)

    def _ignore(self, instance: Instance, event: Event, reason: str, log: logging.Logger) -> Said:
        log.info("ignored: %s", reason)
        self.journal.ignore(instance.name, event, reason)
        return Said.ignored(event.delivery, reason)


def json_delivery(body: bytes) -> RawDelivery:
    """A delivery of JSON, with no header more."""
    return RawDelivery.build({"Content-Type": "application/json"}, body)


def numbered(events: Sequence[Event]) -> tuple[Event, ...]:
    """The events of one delivery, whose ids tell them apart: the second of ``a`` is ``a/2``.

    :raises MalformedError: there is none.
    """
    if not 0 < len(events) <= MAX_EVENTS:
        raise MalformedError(f"the delivery tells of {len(events)} events, and not of 1 to {MAX_EVENTS}")
    ids = [event.delivery for event in events]
    if len(set(ids)) == len(ids):
        return tuple(events)
    # All of them after the first one's id: `b/2` might be the id of another one already.
    first, *rest = events
    return first, *(evolve(event, delivery=f"{first.delivery}/{number}") for number, event in enumerate(rest, 2))


def _delivery(request: Request, body: bytes) -> RawDelivery:
    below = request.scope["path"].removeprefix(request.scope["root_path"])
    return RawDelivery.build(request.headers.items(), body, "" if below == "/" else below)


def _verified(receiver: Receiver, delivery: RawDelivery, log: logging.Logger) -> None:
    _pure(receiver.verifier.verify, delivery, (SignatureError,), log)


def _understood(receiver: Receiver, delivery: RawDelivery, log: logging.Logger) -> tuple[tuple[Event, Decision], ...]:
    def understood(delivery: RawDelivery) -> tuple[tuple[Event, Decision], ...]:
        told = receiver.understood(delivery)
        for wrong in (item for pair in told for item in pair if not isinstance(item, (Event, Ignored, Pong, Runs))):
            raise TypeError(f"{type(wrong).__name__} is no answer")
        return told

    return _pure(understood, delivery, (MalformedError, UnsupportedMediaError), log)


def _pure(function: Callable[[V], T], value: V, allowed: tuple[type[DuctTapeError], ...], log: logging.Logger) -> T:
    """The result of an integration's function.

    :param allowed: what the function may raise; whatever else goes wrong in it counts as the first of these.
    """
    try:
        return function(value)
    except allowed:
        raise
    except (Exception, SystemExit, KeyboardInterrupt) as unexpected:
        log.exception("the integration failed on a delivery")
        raise allowed[0](f"the integration cannot read it ({type(unexpected).__name__})") from unexpected
