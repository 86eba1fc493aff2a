//! The whole system over HTTP, end to end: one module per function, and one per rule that holds across them.

mod authorizer;
mod cancel_registration;
mod change_password;
mod compiled_functions;
mod crashes;
mod cross_site;
mod faults;
mod forgot_password;
mod guessing;
mod hostile_input;
mod house;
mod issuer;
mod local_server;
mod login;
mod logout;
mod me;
mod refresh;
mod register;
mod resend_verification;
mod reset_password;
mod round_trips;
mod secrecy;
mod send_mail;
mod sessions;
mod template;
mod verify_email;
