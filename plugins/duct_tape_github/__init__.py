"""The GitHub auto-deploy plugin."""
