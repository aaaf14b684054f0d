"""The integration for Gitea, Forgejo and Gogs."""
