"""The command line of the plugin: flags as pflag parses them, options, help."""
