"""What is wrong with a plugin, found before a user finds it.

``target`` says what is looked at, ``subject`` holds it, ``report`` puts everything together. What can be read is read
(``about``, ``contents``, ``entries``, ``source``); what must be imported is imported in a process of its own
(``trial`` starts ``examiner`` there), so that nothing that a plugin does reaches further.
"""
