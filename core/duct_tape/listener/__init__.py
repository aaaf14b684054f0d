"""The listener: answers flags on the host by running ``bin/deploy``.

The way of a flag is one line, and each module knows only the next:

    spool (look) → claims (rename away, read) → applications (is it ours to run?) → lanes (when?)
    → deploy (process, output) → results (what became of it)

``service`` holds them together. The folder is the state; an event from ``hints`` only says "look now".
Nothing in the volume is trusted: the container, which faces the internet, can write there.
"""
