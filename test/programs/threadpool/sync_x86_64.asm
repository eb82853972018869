; sync_x86_64.asm: threadpool's lock and condition, under threads that come at the worst moments.
;
; Two players count under the lock, the main thread with them, then hand a turn to and fro by the
; condition. Entering the kernel is made slow at random, so that what may come between two steps does
; come. Status 0 when nothing was lost, 1 when a count is wrong, 2 when a thread could not be made. A
; wake-up that is lost leaves somebody asleep: the test's deadline sees that.

%include "linux.inc"
%include "threadpool.inc"

; From here on, for sync.inc too, `syscall` is one that may come late.
%imacro syscall 0
    call dawdle
    db 0x0f, 0x05               ; the instruction itself
%endmacro

PLAYERS         equ 2
TURNS           equ 2000        ; for each
COUNTS          equ 200000      ; for each
TOTAL           equ PLAYERS * (COUNTS + 2 * TURNS) + TURNS  ; the last are the main thread's
SYS_nanosleep   equ 35
DAWDLE_BITS     equ 0x30        ; one time in four, by the clock's ticks

section .rodata

    align 8, db 0
moment:
    dq 0, 20000                 ; seconds, nanoseconds

section .bss

    alignb 64
gate:       resd 1              ; lock of all that follows
moved:      resd 1              ; condition: the turn is another's
turn:       resd 1              ; whose it is
taken:      resd 1              ; turns, quick counts and slow counts so far
ended:      resd 1              ; condition: a player has left
left:       resd 1              ; players still there
    alignb 16
stacks:     resb PLAYERS * STACK_SIZE

section .text

global _start
_start:
    mov dword [left], PLAYERS
    xor ebx, ebx                ; number of the player that is made
    lea r12, [stacks]
.next:
    add r12, STACK_SIZE
    mov eax, SYS_clone
    mov edi, CLONE_AS_THREAD
    mov rsi, r12
    xor edx, edx
    xor r10d, r10d
    xor r8d, r8d
    syscall
    test eax, eax
    js .no_thread
    jz player
    inc ebx
    cmp ebx, PLAYERS
    jb .next

    mov r15d, TURNS             ; a third at the lock
.count:
    call count_slowly
    dec r15d
    jnz .count
    lea rdi, [gate]
    call lock_acquire
.wait:
    cmp dword [left], 0
    je .done
    lea rdi, [ended]
    lea rsi, [gate]
    call condition_wait
    jmp .wait
.done:
    xor edi, edi
    cmp dword [taken], TOTAL
    setne dil
    jmp .exit
.no_thread:
    mov edi, 2
.exit:
    mov eax, SYS_exit_group
    syscall

; player: count COUNTS times quickly, then TURNS times slowly and each time take a turn.
;   In        ebx = own number
player:
    mov r15d, COUNTS            ; still to count
.count:
    lea rdi, [gate]
    call lock_acquire
    inc dword [taken]           ; a read and a write
    call lock_release
    dec r15d
    jnz .count

    mov r15d, TURNS             ; still to take
.next:
    call count_slowly
    lea rdi, [gate]
    call lock_acquire
.look:
    cmp [turn], ebx
    je .mine
    lea rdi, [moved]
    lea rsi, [gate]
    call condition_wait
    jmp .look
.mine:
    inc dword [taken]
    xor dword [turn], 1
    lea rdi, [gate]
    call lock_release
    lea rdi, [moved]
    mov esi, WAKE_ONE
    call condition_notify
    dec r15d
    jnz .next

    lea rdi, [gate]
    call lock_acquire
    dec dword [left]
    call lock_release
    lea rdi, [ended]
    mov esi, WAKE_ONE
    call condition_notify
    mov eax, SYS_exit
    xor edi, edi
    syscall

; count_slowly: count once; others run between the read and the write, and sleep over the lock.
;   Clobbers  rax, rcx, rdx, rsi, rdi, r10, r11, r14
count_slowly:
    lea rdi, [gate]
    call lock_acquire
    mov r14d, [taken]
    call dawdle
    inc r14d
    mov [taken], r14d
    jmp lock_release

; dawdle: sleep a moment, or do not.
;   Clobbers  nothing that a call of the kernel would not
dawdle:
    push rax
    push rdx
    push rdi
    push rsi
    rdtsc
    test al, DAWDLE_BITS
    jnz .done
    mov eax, SYS_nanosleep
    lea rdi, [moment]
    xor esi, esi
    db 0x0f, 0x05
.done:
    pop rsi
    pop rdi
    pop rdx
    pop rax
    ret

%include "threadpool/sync.inc"
