"""Mailboxes: attachments of allowed senders are imported, bounces and "no more" are heard."""
