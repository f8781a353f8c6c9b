"""From playbooks to plans.

``dates`` are what is counted from, ``rows`` say how often and ``rules`` when exactly. ``anchors`` and ``compiling``
make promises of a playbook, ``promises`` make plans of promises. ``components`` knows warranties, and ``editions``
what holds for records that were moved over from one edition to another.
"""
