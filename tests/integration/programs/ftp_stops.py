"""python3 ftp_stops.py ADDRESS SESSIONS — FTP clients that stop in the middle of a download, and then close.

Their control connections are closed. Their data connections stay open, and nobody reads from them.
"""

import ftplib
import socket
import sys
import time

kept = []
for _ in range(int(sys.argv[2])):
    ftp = ftplib.FTP(sys.argv[1], timeout=20)
    ftp.login()
    ftp.voidcmd("TYPE I")
    kept.append(ftp.transfercmd("RETR big"))
    ftp.sock.shutdown(socket.SHUT_WR)
    kept.append(ftp)
print("stopped", flush=True)
time.sleep(3600)
