/* SPDX-License-Identifier: BSD-2-Clause */
/* uart.h: registers of a 16550 (National Semiconductor PC16550D, table II). */
#pragma once

enum uart_register {
    UART_DATA = 0,              /* transmitter holding, receiver buffer; divisor low with DLAB */
    UART_INTERRUPTS = 1,        /* divisor high with DLAB */
    UART_CAUSE = 2,             /* read: interrupt identification; write: FIFO control */
    UART_LINE = 3,
    UART_MODEM = 4,
    UART_STATUS = 5,
};

enum {
    UART_ON_RECEIVED = 1, UART_ON_EMPTY = 2,                        /* UART_INTERRUPTS */
    UART_NO_CAUSE = 1,                                              /* UART_CAUSE, read */
    UART_FIFO_ON = 1, UART_FIFO_CLEAR = 6, UART_FIFO_TRIGGER_8 = 0x80,  /* UART_CAUSE, write */
    UART_8N1 = 3, UART_DIVISOR = 0x80,                              /* UART_LINE */
    UART_DTR_RTS_OUT2 = 0xb,                                        /* UART_MODEM; OUT2 lets the interrupt out */
    UART_READY = 1, UART_OVERRUN = 2, UART_EMPTY = 0x20,            /* UART_STATUS */
    UART_FIFO = 16,
    UART_DIVISOR_115200 = 1,
};
