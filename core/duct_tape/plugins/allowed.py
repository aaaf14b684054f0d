"""From where an instance takes requests at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from attrs import frozen

from duct_tape.addresses import Address, Network, network, within
from duct_tape.conf.structure import suggestion
from duct_tape.errors import Problem, UnavailableError
from duct_tape.plugins.instance import Instance

# The networks behind a name such as "github"; None as long as nobody has told them.
Named: TypeAlias = Callable[[], Sequence[Network] | None]


@frozen(kw_only=True)
class Allowed:
    """The networks of ``allow_from``.

    :param named: those that the plugin finds out by itself, by name.
    """

    networks: tuple[Network, ...]
    named: Mapping[str, Named]

    def admits(self, sender: Address | None) -> bool:
        """Whether a request from there is looked at. Nobody's address is in no network.

        :raises UnavailableError: it is not known yet: whoever is meant by a name has to be asked first.
        """
        if within(sender, self.networks):
            return True
        unknown = []
        for name, ask in self.named.items():
            networks = ask()
            if networks is None:
                unknown.append(name)
            elif within(sender, networks):
                return True
        if unknown:
            raise UnavailableError(f"the addresses of `{unknown[0]}` in `allow_from` are not known yet")
        return False


def allow(instance: Instance) -> Iterator[Problem]:
    """Read the instance's ``allow_from``, once its routes are there."""
    if instance.table.allow_from is None:
        return
    offered: dict[str, Named] = {}
    for route in instance.routes:
        offered.update(getattr(getattr(route, "receiver", None), "senders", {}))
    networks: list[Network] = []
    named: dict[str, Named] = {}
    for number, text in enumerate(instance.table.allow_from):
        if text in offered:
            named[text] = offered[text]
            continue
        try:
            networks.append(network(text))
        except ValueError as error:
            path = f"plugins.{instance.name}.allow_from[{number}]"
            message, _, hint = f"{error}{suggestion(text, offered)}".partition("; ")
            yield Problem(message=f"{message},", path=path, hint=hint)
    instance.allowed = Allowed(networks=tuple(networks), named=named)
