"""Every client in any language against `station-lab broker`, a process like any other."""
