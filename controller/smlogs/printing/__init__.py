"""What the plugin prints: lines of logs, messages, and a status line on a terminal."""
