"""Files, locks, processes, devices and messages: what every other room builds on."""
