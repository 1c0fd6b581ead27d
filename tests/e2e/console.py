#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""console.py SOCKET COMMAND - one console command, as VDE 2's clients do it

Waits for the prompt, sends the line, prints the lines of the data block and
exits with the errno of the reply "1NNN text". Written apart from unixcmd, so
that a test can compare the two.
"""
import socket
import sys


def main():
    path, command = sys.argv[1], " ".join(sys.argv[2:])
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.settimeout(10)
        s.connect(path)
        buf = b""
        while not buf.endswith(b"$ "):
            more = s.recv(65536)
            if not more:
                sys.exit("console.py: no greeting")
            buf += more
        s.sendall(command.encode() + b"\n")
        data = False
        for raw in s.makefile("rb"):
            line = raw.decode("utf-8", "replace").rstrip("\n")
            if line == "0000 DATA END WITH '.'":
                data = True
            elif data and line == ".":
                data = False
            elif data:
                print(line)
            elif line.startswith("1") and line[1:4].isdigit():
                code = int(line[1:4])
                if code:
                    print(line[5:], file=sys.stderr)
                sys.exit(min(code, 255))
            elif line.startswith("9999"):
                sys.exit(0)
    sys.exit("console.py: no reply")


main()
