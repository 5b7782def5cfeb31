// `listener_head study serve` answers with true: then answers are posted to it.
window.STUDY_SERVER = false;
