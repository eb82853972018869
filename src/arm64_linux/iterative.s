// iterative: an HTTP server for arm64 Linux that serves one connection after another.
//
// Usage: iterative [port]      127.0.0.1, 8080 unless told otherwise; 0 asks for a free port.
//
// It answers every request with `Hello from ARM!`, and echoes the request, byte for byte, to
// standard output. Every call is checked, each with a message of its own (`bind failed: ...`).
// SIGTERM and SIGINT end it with status 0 once the running request is answered.
//
// As nobody is served while another is, no client may take longer than DEADLINE_MS.
//
//   this file                   start, command line, signals, the line `Listening on port N`
//   iterative-accept.inc        the listener, and the loop that takes connections
//   iterative-serve.inc         one connection: request, echo, answer
//   ../common/arm64-*.inc       numbers and messages, HTTP, streams: the same on both arm64 systems

        .include "linux.inc"

        .equ    ARGC_MAX, 2             // the program's name and the port
        .equ    ARGV_1, WORD_SIZE
        .equ    PORT_DEFAULT, 8080
        .equ    PORT_MAX, 65535
        .equ    ADDRESS, INADDR_LOOPBACK
        .equ    DEADLINE_MS, 5000       // for a whole connection, from accept to close
        .equ    ECHO_MS, 1000           // for each wait until standard output takes more
        .equ    SHORTAGE_MS, 100        // before the next accept when descriptors have run out
        .equ    HEAD_MAX, 8192          // bytes of a request up to its empty line

// `must name`: end with a message of the call's own if it failed.
        .macro  must name
        tbz     x0, #SIGN_BIT, .Lmust_\@
        load_address x1, .Lfailed_\@
        b       fail
        constants
        counted .Lfailed_\@, "\name failed: "
        .text
.Lmust_\@:
        .endm

        .include "arm64-text.inc"
        .include "arm64-request.inc"
        .include "arm64-answers.inc"
        .include "arm64-fields.inc"
        .include "arm64-stream.inc"
        .include "arm64-report.inc"

        constants

        counted usage, "usage: iterative [port]   (0 to 65535, 8080 if none is given)"
        counted listening, "Listening on port "

hello_body:
        .ascii  "Hello from ARM!\n"
        answer  hello, "200 OK", "text/plain"

        reserve request_buffer, HEAD_MAX
        reserve stop_pipe, 2 * INT_SIZE
        .equ    STOP_READ, 0            // the end that the accept loop polls
        .equ    STOP_WRITE, INT_SIZE    // the end that the signal handler writes to

        .text

// _start: the whole run.
//
// In       [sp] = argc, [sp + 8] = argv[0], ...
        .globl  _start
_start:
        mov     x29, #0                 // the outermost frame
        ldr     x0, [sp]
        add     x1, sp, #WORD_SIZE
        bl      read_arguments
        bl      open_listener
        mov     x19, x0
        bl      catch_signals
        mov     x0, x19
        bl      announce
        mov     x0, x19
        bl      accept_loop             // from which nobody returns

// read_arguments: find the port.
//
// In       x0 = argc, x1 = argv
// Out      x0 = the port
// Errors   ends with the usage line and STATUS_USAGE
// Clobbers x1 to x6
read_arguments:
        stp     x29, x30, [sp, #-PAIR]!
        mov     x29, sp
        mov     x2, x0
        mov     x0, #PORT_DEFAULT
        cmp     x2, #ARGC_MAX
        b.lo    .Lport_found
        b.hi    refuse_arguments

        // How long is argv[1]?
        ldr     x0, [x1, #ARGV_1]
        mov     x1, #0
.Lport_length:
        ldrb    w2, [x0, x1]
        cbz     w2, .Lport_parse
        add     x1, x1, #1
        b       .Lport_length
.Lport_parse:
        mov     x2, #PORT_MAX
        bl      parse_decimal
        tbnz    x0, #SIGN_BIT, refuse_arguments
.Lport_found:
        ldp     x29, x30, [sp], #PAIR
        ret

// catch_signals: let SIGTERM and SIGINT write to a pipe that the accept loop polls.
//
// A flag would leave a gap between its check and the wait; a byte in a pipe stays until it is seen.
// SIGPIPE is ignored, so that a client or a reader of the echo that is gone is only an EPIPE,
// and SIGXFSZ, so that an output file at its limit is only an EFBIG.
//
// Errors   ends with the message of the call that failed
// Clobbers x0 to x17
catch_signals:
        stp     x29, x30, [sp, #-PAIR - SIGACTION_SIZE]!
        mov     x29, sp
        load_address x0, stop_pipe
        ldr     w1, =O_CLOEXEC | O_NONBLOCK
        call    pipe2
        must    pipe2

        load_address x0, on_stop
        mov     x1, #SA_RESTART
        str     x0, [sp, #PAIR + SIGACTION_HANDLER]
        str     x1, [sp, #PAIR + SIGACTION_FLAGS]
        str     xzr, [sp, #PAIR + SIGACTION_RESTORER]
        str     xzr, [sp, #PAIR + SIGACTION_MASK]
        mov     x0, #SIGTERM
        add     x1, sp, #PAIR
        bl      set_action
        mov     x0, #SIGINT
        add     x1, sp, #PAIR
        bl      set_action

        mov     x0, #SIG_IGN
        str     x0, [sp, #PAIR + SIGACTION_HANDLER]
        mov     x0, #SIGPIPE
        add     x1, sp, #PAIR
        bl      set_action
        mov     x0, #SIGXFSZ
        add     x1, sp, #PAIR
        bl      set_action
        ldp     x29, x30, [sp], #PAIR + SIGACTION_SIZE
        ret

// set_action: the part of catch_signals that it does four times.
//
// In       x0 = signal, x1 = struct sigaction
// Errors   ends with the message of the call that failed
// Clobbers x0 to x3, x8
set_action:
        mov     x2, #0                  // the action before is of no interest
        mov     x3, #SIGSET_SIZE
        call    rt_sigaction
        must    rt_sigaction
        ret

// on_stop: the signal handler.
on_stop:
        load_address x1, stop_pipe
        ldr     w0, [x1, #STOP_WRITE]
        mov     x2, #1                  // any byte will do
        call    write                   // full: then there is one already
        ret

// announce: tell the port, which the kernel may have chosen, to whoever reads standard output.
//
// In       x0 = the listener
// Errors   ends with the message of the call that failed
// Clobbers x0 to x17
announce:
        .equ    ANNOUNCE_ADDRESS, PAIR
        .equ    ANNOUNCE_LENGTH, ANNOUNCE_ADDRESS + SOCKADDR_IN_SIZE
        .equ    ANNOUNCE_LINE, ANNOUNCE_LENGTH + PAIR
        .equ    ANNOUNCE_FRAME, ANNOUNCE_LINE + 2 * PAIR
        stp     x29, x30, [sp, #-ANNOUNCE_FRAME]!
        mov     x29, sp
        mov     w1, #SOCKADDR_IN_SIZE
        str     w1, [sp, #ANNOUNCE_LENGTH]
        add     x1, sp, #ANNOUNCE_ADDRESS
        add     x2, sp, #ANNOUNCE_LENGTH
        call    getsockname
        must    getsockname

        add     x0, sp, #ANNOUNCE_LINE
        load_address x1, listening
        bl      append_text
        ldrh    w1, [sp, #ANNOUNCE_ADDRESS + SOCKADDR_IN_PORT]
        rev16   w1, w1
        bl      append_decimal
        mov     w1, #LF
        strb    w1, [x0], #1
        mov     x1, x0
        add     x0, sp, #ANNOUNCE_LINE
        sub     x1, x1, x0
        bl      echo
        ldp     x29, x30, [sp], #ANNOUNCE_FRAME
        ret

        .include "iterative-accept.inc"
        .include "iterative-serve.inc"

        .section .note.GNU-stack, "", %progbits
