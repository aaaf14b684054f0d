"""What ``duct-tape check`` says of the settings for GitHub's API. Nobody is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator

from attrs import evolve

from duct_tape.api import Context, DuctTapeError, Event, Problem, Run, Template, repository_path, samples
from duct_tape_github import receive
from duct_tape_github.conf import GitHubConf, Repository
from duct_tape_github.deployments import variables
from duct_tape_github.sample import payload_of


def check_api(ctx: Context) -> Iterator[Problem]:
    """What would keep GitHub from being asked, or from being told."""
    conf: GitHubConf = ctx.config
    if conf.token and conf.reconcile.enabled and conf.reconcile.look_back > ctx.remembered:
        yield Problem(
            message=f"`look_back` is {conf.reconcile.look_back:g} seconds, and runs are forgotten after "
            f"{ctx.remembered:g}, so what was done could be done again,",
            path=f"plugins.{ctx.name}.reconcile.look_back",
            hint="let it be shorter, or `keep_days` under [journal] larger",
        )
    for name, repository in conf.repositories.items():
        path = f"plugins.{ctx.name}.{repository_path(name)}"
        if name in conf.named and conf.token and conf.reconcile.enabled and conf.reconcile.deliveries:
            yield from _webhook(ctx, repository, path)
        if conf.deployments:
            alone = evolve(conf, repositories={name: repository})
            found = (message for event in _events(alone) for message in _failures(ctx.name, conf, repository, event))
            for message in dict.fromkeys(found):
                yield Problem(message=message, path=path)


def _webhook(ctx: Context, repository: Repository, path: str) -> Iterator[Problem]:
    if ctx.public_url is None and repository.hook_id is None:
        yield Problem(
            message="nobody knows which of the repository's webhooks calls this server,",
            path=path,
            hint="set `public_url` under [server], or `hook_id` here, or `reconcile.deliveries = false`",
        )


def _events(conf: GitHubConf) -> Iterator[Event]:
    for sample in samples(conf):
        name, payload = payload_of(sample)
        yield receive.parse(receive.simulated(name, json.dumps(payload).encode("utf-8")), conf.kinds)


def _failures(instance: str, conf: GitHubConf, repository: Repository, event: Event) -> Iterator[str]:
    values = conf.vars if repository.vars is None else repository.vars
    try:
        application = repository.application.render({**event.variables(), "vars": values})
    except DuctTapeError:
        # That is told by the check of all integrations.
        return
    run = Run(id="0", instance=instance, application=application, trigger="deploy", event=event, vars=values)
    templates: dict[str, Template | None] = {
        "environment": repository.environment or conf.environment,
        "log_url": conf.log_url,
        "environment_url": conf.environment_url,
    }
    for key, template in templates.items():
        try:
            if template is not None:
                template.render(variables(run))
        except DuctTapeError as error:
            yield f"a deployment would have no `{key}`: {error},"
