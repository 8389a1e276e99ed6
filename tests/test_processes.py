"""A process is recognised by its number and its start."""

from __future__ import annotations

import os
import subprocess
import sys

from dataos_dagster.processes import start_time


def test_a_process_has_one_start_for_life():
    assert start_time(os.getpid()) == start_time(os.getpid()) != None  # noqa: E711 - all three at once


def test_two_processes_differ_in_their_start():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert start_time(child.pid) not in {None, start_time(os.getpid())}
    child.communicate(b"\n")


def test_an_ended_process_has_none_even_before_its_parent_looks():
    child = subprocess.Popen([sys.executable, "-c", "pass"], stdout=subprocess.PIPE)
    child.stdout.read()  # ends with the process
    child.stdout.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert start_time(child.pid) is None
    child.wait()
    assert start_time(child.pid) is None
