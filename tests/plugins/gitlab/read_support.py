"""What the plugin reads of each kind of payload."""

from __future__ import annotations

from types import NoneType

PROJECT: dict[str, tuple[type, ...]] = {
    "object_kind": (str,),
    "project": (dict,),
    "project.path_with_namespace": (str,),
}
PUSH: dict[str, tuple[type, ...]] = {
    **PROJECT,
    "ref": (str,),
    # Of texts only whole names of commits.
    "before": (),
    "after": (),
    "checkout_sha": (),
    "project.web_url": (str, NoneType),
    "user_username": (str, NoneType),
}
# What is read of each kind, and of which types it may be.
READ: dict[str, dict[str, tuple[type, ...]]] = {
    "release": {
        **PROJECT,
        "action": (str,),
        "id": (int,),
        "tag": (str,),
        "name": (str, NoneType),
        "url": (str, NoneType),
        "created_at": (NoneType,),
        "released_at": (NoneType,),
        "commit": (dict, NoneType),
        "commit.id": (NoneType,),
    },
    "tag": PUSH,
    "branch": PUSH,
    "build": {
        **PROJECT,
        "object_attributes": (dict,),
        **{f"object_attributes.{key}": (str,) for key in ("status", "source", "ref")},
        "object_attributes.sha": (),
        "object_attributes.tag": (bool,),
        "object_attributes.id": (int,),
        "object_attributes.name": (str, NoneType),
        "object_attributes.url": (str, NoneType),
        "object_attributes.created_at": (NoneType,),
        "object_attributes.finished_at": (NoneType,),
        "merge_request": (NoneType,),
        "user": (dict, NoneType),
        "user.username": (str, NoneType),
    },
}
