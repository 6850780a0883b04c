"""Running unattended: systemd notification, the unit, the checks of ``voicecart doctor``."""
