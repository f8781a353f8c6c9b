"""The drop folder: who has no command line puts a file there, and finds it again with its report beside it."""
