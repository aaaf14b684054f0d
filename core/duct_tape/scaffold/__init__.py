"""A new plugin's project, from the files ``*.jinja`` beside this one.

Their blanks are written «name», since the files hold templates of others: Jinja's own, and GitHub's.
"""
