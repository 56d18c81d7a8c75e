mod golden;
mod whole;
