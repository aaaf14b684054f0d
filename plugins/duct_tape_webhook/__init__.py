"""The integration for senders that have none of their own."""
