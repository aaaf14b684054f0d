"""The integration for senders that follow Standard Webhooks."""
