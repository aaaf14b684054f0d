"""What the operator decides about the listener."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from duct_tape.errors import StartupError


@frozen(kw_only=True)
class Settings:
    """The options of ``duct-tape listen``; all times are in seconds.

    :param timeout: how long one ``bin/deploy`` may take.
    :param grace: how long running deploys may go on after the listener was told to stop.
    :param kill_after: how long a deploy that must end may take to clean up before it is killed.
    :param poll: pause between two looks when no event comes.
    """

    volume: Path
    applications: Path
    concurrency: int = 4
    timeout: float = 3600.0
    grace: float = 60.0
    kill_after: float = 10.0
    poll: float = 1.0

    def check(self) -> None:
        """Find out whether the two folders can be what they are said to be.

        :raises StartupError: one of them is missing, or flags and applications would be mixed up.
        """
        if not self.volume.is_dir():
            raise StartupError(f"the shared volume {self.volume} does not exist: create it, or correct --volume")
        if not self.applications.is_dir():
            raise StartupError(f"the applications folder {self.applications} does not exist: correct --applications")
        # Everything at the volume's top that is not a flag is moved aside: never someone's applications.
        if self.applications.resolve().is_relative_to(self.volume.resolve()):
            raise StartupError(
                f"the applications folder {self.applications} lies in the shared volume {self.volume}, where the "
                "container could change what is run: keep them apart"
            )
