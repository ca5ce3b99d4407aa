@echo off
rem Runs a command of the exporter, such as: vb365-exporter doctor --config.file "%ProgramData%\vb365-exporter\vb365-exporter.yaml"
"%~dp0node.exe" --max-semi-space-size=16 "%~dp0dist\src\main.js" %*
