# Processes that are alive while the service looks at the system.
sleep 100 &
sleep 100 | cat &
service up capabilities
wait
