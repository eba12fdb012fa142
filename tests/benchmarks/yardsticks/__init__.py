"""Programs that do the service's job without the service, as a competent engineer would.

They are what the figures of the core are compared with, and are not touched: neither formatted nor
made quicker or slower. Each is run as a file of its own and prints one line of JSON.

    python tests/benchmarks/yardsticks/gen.py --bootstrap HOST:PORT --topic T --messages N
    python tests/benchmarks/yardsticks/peer_plain_aiokafka.py --style numpy \
        --bootstrap HOST:PORT --topic T --out-topic OUT --messages N --window 10
"""
