@echo off
rem Run pianod on Windows. The first call makes its environment in .venv-windows, inside the clone. Not tried: docs\install.md.
setlocal
set "root=%~dp0.."
set "python=%root%\.venv-windows\Scripts\python.exe"
if exist "%root%\.venv-windows\.finished" goto run
echo pianod: first call: making .venv-windows (about 300 MB)
if exist "%root%\.venv-windows" rmdir /s /q "%root%\.venv-windows"
py -3.12 -m venv "%root%\.venv-windows" || py -3.11 -m venv "%root%\.venv-windows" || goto nopython
"%python%" -m pip install --disable-pip-version-check --quiet -e "%root%[cpu]" || exit /b 1
type nul > "%root%\.venv-windows\.finished"
:run
"%python%" -P -m realtime %*
exit /b %errorlevel%
:nopython
echo pianod needs Python 3.12 or 3.11 (python.org, with the launcher "py"), and found neither. 1>&2
exit /b 1
