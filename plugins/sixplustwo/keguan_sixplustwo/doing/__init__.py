"""What happens when a promise falls due: a module for each kind of doing, and the actions made of them."""

from keguan_sixplustwo.doing.actions import actions

__all__ = ["actions"]
