"""The HTTP side: routes, receiving, limits, the admin socket, serving."""
