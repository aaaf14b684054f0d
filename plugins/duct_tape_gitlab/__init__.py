"""Releases, tags, branches and pipelines of GitLab become deploys."""
