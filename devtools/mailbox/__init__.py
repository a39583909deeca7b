"""The demo's mail: a real SMTP server, and a page on which a newcomer reads what arrived."""
