"""Pictures: each payload type has one."""
