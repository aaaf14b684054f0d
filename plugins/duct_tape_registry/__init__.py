"""Images that are pushed to a registry become deploys."""
