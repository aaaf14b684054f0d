"""Sends messages about runs to chats, phones and mailboxes, through apprise."""
