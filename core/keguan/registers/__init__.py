"""Registers: typed lines that are kept about a project, a home, a customer or a branch, and never lost.

A register is a form of a plugin (``Form.register_of``). ``keeping`` changes lines and logs every change, ``taking``
takes in whole files, ``naming`` finds what a line is about.
"""
