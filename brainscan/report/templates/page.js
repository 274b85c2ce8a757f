"use strict";
// Reading aids only: the page is complete without this script.
(function () {
  var narrow = window.matchMedia("(max-width: 1200px)");
  document.querySelectorAll("details.toc").forEach(function (toc) { toc.open = !narrow.matches; });

  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (d) { d.dataset.was = d.open ? "1" : ""; d.open = true; });
  });
  window.addEventListener("afterprint", function () {
    document.querySelectorAll("details").forEach(function (d) { d.open = d.dataset.was === "1"; });
  });

  var NS = "http://www.w3.org/2000/svg";
  document.querySelectorAll("figure[data-reader]").forEach(function (figure) {
    var data = JSON.parse(figure.querySelector(".cells-data").textContent);
    var svg = figure.querySelector("svg.wide"), frame = svg.querySelector(".frame");
    var status = figure.querySelector(".status");
    var rows = data.rows.length, columns = data.rows[0].length, row = 0, column = 0;
    var box = { x: +frame.getAttribute("x"), y: +frame.getAttribute("y"), w: +frame.getAttribute("width"), h: +frame.getAttribute("height") };
    var cursor = document.createElementNS(NS, "rect"), contrast = 3, inverted = false;
    cursor.setAttribute("class", "cursor");
    svg.setAttribute("tabindex", "0");

    data.rows.forEach(function (values, i) {
      values.forEach(function (value, j) {
        if (value !== null && (data.rows[row][column] === null || Math.abs(value) > Math.abs(data.rows[row][column]))) { row = i; column = j; }
      });
    });

    function show() {
      var width = box.w / columns, height = box.h / rows, value = data.rows[row][column];
      if (!cursor.parentNode) { svg.appendChild(cursor); }
      cursor.setAttribute("x", box.x + column * width);
      cursor.setAttribute("y", box.y + (rows - 1 - row) * height);
      cursor.setAttribute("width", width);
      cursor.setAttribute("height", height);
      status.hidden = false;
      status.textContent = "layer " + data.layers[row] + ", token " + column + " “" + data.tokens[column] + "”: " +
        (value === null ? "not captured" : (value > 0 ? "+" : value < 0 ? "−" : "") + Math.abs(value).toFixed(2) + " " + data.unit) +
        (contrast === 3 && !inverted ? "" : " (colours changed: contrast " + contrast + " of 5" + (inverted ? ", inverted" : "") + ")");
    }
    function recolour() {
      var filter = "contrast(" + [0.4, 0.7, 1, 1.6, 2.6][contrast - 1] + ")" + (inverted ? " invert(1)" : "");
      svg.querySelectorAll("image").forEach(function (image) { image.style.filter = filter; });
    }
    svg.addEventListener("focus", show);
    svg.addEventListener("blur", function () { if (cursor.parentNode) { svg.removeChild(cursor); } });
    svg.addEventListener("click", function (event) {
      var at = frame.getBoundingClientRect();
      column = Math.max(0, Math.min(columns - 1, Math.floor((event.clientX - at.left) / at.width * columns)));
      row = Math.max(0, Math.min(rows - 1, rows - 1 - Math.floor((event.clientY - at.top) / at.height * rows)));
      show();
    });
    svg.addEventListener("keydown", function (event) {
      var key = event.key;
      if (event.ctrlKey || event.metaKey || event.altKey) { return; }
      if (key === "ArrowUp") { row = Math.min(rows - 1, row + 1); }
      else if (key === "ArrowDown") { row = Math.max(0, row - 1); }
      else if (key === "ArrowRight") { column = Math.min(columns - 1, column + 1); }
      else if (key === "ArrowLeft") { column = Math.max(0, column - 1); }
      else if (key >= "1" && key <= "5" && key.length === 1) { contrast = +key; recolour(); }
      else if (key === "i") { inverted = !inverted; recolour(); }
      else if (key === "0") { contrast = 3; inverted = false; recolour(); }
      else { return; }
      event.preventDefault();
      show();
    });
  });
}());
