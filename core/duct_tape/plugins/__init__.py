"""Discovery, selection and isolation of plugins."""
