"""Runs one of the scripts in peers/ in this process, then prints its largest resident size: peer.py SCRIPT ARGUMENTS..."""
import json
import resource
import runpy
import sys

sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
print(json.dumps({'peak_mb': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
