"""The integration for Bitbucket Cloud and Bitbucket Data Center."""
